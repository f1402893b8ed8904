import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { WordsProvider } from '../words/words';
import { App } from './App';
import { installed } from './installed';
import { Patrol } from './kept/patrol';
import './patrol.css';

const root = document.getElementById('root');
if (root === null) throw new Error('patrol.html has no #root');
createRoot(root).render(
  <StrictMode>
    <WordsProvider>
      <App patrol={new Patrol()} />
    </WordsProvider>
  </StrictMode>,
);
void installed();

import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Known, Patrol } from './kept/patrol';

export const InPatrol = createContext<Patrol | null>(null);

export function usePatrol(): { patrol: Patrol; known: Known } {
  const patrol = useContext(InPatrol);
  if (patrol === null) throw new Error('usePatrol outside InPatrol');
  return { patrol, known: useSyncExternalStore(patrol.subscribe, patrol.snapshot) };
}

import type { ThemeConfig } from 'antd';
import { useSyncExternalStore } from 'react';

/** From here on everything is drawn larger: such a screen is looked at from further away. */
const LARGE = '(min-width: 2560px)';
/** Fingers, not a mouse: what is touched is as large as a finger (44 px). */
const TOUCHED = '(pointer: coarse)';
/** Whoever asks his machine for less movement sees dialogs and faults come and go at once. */
const STILL = '(prefers-reduced-motion: reduce)';

function useMedia(query: string): boolean {
  return useSyncExternalStore(
    changed => {
      const list = matchMedia(query);
      list.addEventListener('change', changed);
      return () => list.removeEventListener('change', changed);
    },
    () => matchMedia(query).matches,
  );
}

export function useNarrow(): boolean {
  return useMedia('(max-width: 767px)');
}

export function useLarge(): boolean {
  return useMedia(LARGE);
}

/**
 * A calm grey ground (ISA-101): colour is left to what is abnormal. The colours of alarms stand in console.css, with
 * their shapes.
 */
export function useTheme(): ThemeConfig {
  const large = useLarge();
  const touched = useMedia(TOUCHED);
  const still = useMedia(STILL);
  return {
    cssVar: { key: 'taizhang' },
    hashed: false,
    token: {
      motion: !still,
      colorPrimary: '#2b5876',
      colorLink: '#1f5480',
      colorLinkHover: '#163f62', // darker: the lighter one that antd derives is too pale to be read
      colorLinkActive: '#0f2d47',
      colorBgLayout: '#e6e9ec',
      colorBgContainer: '#f7f8f9',
      colorBgElevated: '#ffffff',
      colorText: '#1c262e',
      colorTextSecondary: '#46535e',
      colorTextTertiary: '#56636e',
      colorTextPlaceholder: '#66727c',
      colorBorder: '#b9c2c9',
      colorBorderSecondary: '#d3d9de',
      colorError: '#b3261e',
      borderRadius: 4,
      fontSize: large ? 22 : 14,
      controlHeight: large ? 52 : touched ? 44 : 34,
      fontFamily:
        "system-ui, -apple-system, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', 'WenQuanYi Micro Hei', sans-serif",
    },
    components: {
      Layout: { headerBg: '#f7f8f9', siderBg: '#dde2e6', headerHeight: large ? 80 : 52, headerPadding: '0 12px' },
      Menu: {
        itemBg: 'transparent',
        subMenuItemBg: 'transparent',
        itemSelectedBg: '#c3ced6',
        itemSelectedColor: '#12212c',
      },
    },
  };
}

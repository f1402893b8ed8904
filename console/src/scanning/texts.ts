import type { Texts } from '../words/words';

/** What is said while a tag is read, wherever that is. */
export const TEXTS = {
  camera_opening: { zh: '正在打开相机……', en: 'Opening the camera …' },
  camera_paused: { zh: '相机已休息，点按继续', en: 'The camera rests: tap to go on' },
  camera_denied: {
    zh: '浏览器不允许使用相机。请在浏览器设置里允许，或用照片、手工输入。',
    en: 'The browser does not allow the camera. Allow it in its settings, or use a photo or type the code.',
  },
  camera_absent: {
    zh: '没有可用的相机。可用照片或手工输入。',
    en: 'No camera. Use a photo, or type the code.',
  },
  camera_insecure: {
    zh: '相机只在 https 网址下可用。可用照片或手工输入。',
    en: 'The camera needs an https address. Use a photo, or type the code.',
  },
  back: { zh: '返回', en: 'Back' },
  torch: { zh: '手电', en: 'Torch' },
  lens: { zh: '换镜头', en: 'Lens' },
  from_file: { zh: '照片', en: 'Picture' },
  type: { zh: '输入', en: 'Type' },
  typed_label: { zh: '标签上的 12 位编码', en: 'The twelve characters on the tag' },
  typed_ok: { zh: '确定', en: 'Go' },
  reader_absent: {
    zh: '读码程序没有加载到手机上：请输入编码，或有网络时再试',
    en: 'The reader could not be loaded: type the code, or try again with network',
  },
  nothing_read: {
    zh: '照片里没有读到标签，请靠近、拿稳、补光',
    en: 'No tag in this picture: nearer, steadier, more light',
  },
  misread_empty: { zh: '没有内容', en: 'Nothing there' },
  misread_foreign: { zh: '不是本系统的标签', en: 'No tag of this system' },
  misread_wrong_length: { zh: '编码应为 12 位', en: 'A code has twelve characters' },
  misread_wrong_character: { zh: '编码里没有这样的字符', en: 'A character that is in no code' },
  misread_wrong_check: {
    zh: '编码有一位不对，或两位颠倒',
    en: 'One character is wrong, or two changed places',
  },
} as const satisfies Texts;

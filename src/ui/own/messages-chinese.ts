import { str } from '@lit/localize';
import type { Translation } from '../messages/spoken.ts';
import type { ownEnglish } from './messages-english.ts';

export const ownChinese: Translation<typeof ownEnglish> = {
  title: '你的图像',
  private: '它们只留在本页；地址中只有它们的哈希值。',
  choose: str`查看 ${0}`,
  asMnist: '转为灰度，缩放到 20 像素，并按笔迹重心居中，与数据集相同。',
  fitted: str`转为灰度，按原比例放入 ${0} × ${1}。`,
  inverted: '原图为浅底深字：已反相，笔迹为 1，纸面为 0。',
  plain: '深底浅字，符合网络的输入。',
  taken: str`${0} 张图像、${1} 个类别（${2}）作为数据；其中五分之一留作测试。`,
  takenSize: str`灰度，${0} × ${1}，保持原尺寸。`,
  takenResized: str`尺寸不一或过大：转为灰度，按原比例放入 ${0} × ${1}。`,
  takenInverted: '多数为浅底深字：已全部反相。',
};

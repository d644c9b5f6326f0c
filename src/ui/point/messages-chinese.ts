import { str } from '@lit/localize';
import type { Translation } from '../messages/spoken.ts';
import type { pointEnglish } from './messages-english.ts';

export const pointChinese: Translation<typeof pointEnglish> = {
  pointedTitle: '指向',
  lockedTitle: '已锁定',
  title: str`${0}：${1}`,
  free: '解除锁定',
  pixel: str`第 ${0} 行，第 ${1} 列`,
  place: str`第 ${0} 个`,
  unit: str`${0}，单元 ${1}`,
  word: str`第 ${0} 个词“${1}”`,
  padding: str`第 ${0} 处，填充`,
  value: '值',
  standardised: '标准化后 x',
  activation: '激活值',
  bias: '偏置',
  strongest: str`此处最强：${1} 的单元 ${0}`,
  largestWeight: str`该值为 0，没有贡献；此处权重最大的是 ${1} 的单元 ${0}`,
  weight: '权重 w',
  product: 'w · x',
  weightsOf: str`单元 ${0} 的权重`,
  histogram: str`它的 ${0} 个权重，从 ${1} 到 ${2}`,
  topTitle: str`第 ${1} 步时，${0} 个测试样本中它反应最强的；有 ${2} 个使它激活`,
  topWaiting: '正在寻找它有反应的测试样本……',
  dead: str`第 ${1} 步时对全部 ${0} 个测试样本都为 0：对它们而言已失活`,
  topExample: str`测试样本 ${0}，${1}：${2}`,
  topUnlabelled: str`测试样本 ${0}：${1}`,
  spokenPixel: str`${0}：值 ${1}。${2}`,
  spokenWord: str`${0}。${1}`,
  spokenStrongest: str`${0}。${1}，权重 ${2}。`,
  spokenUnit: str`${0}：激活值 ${1}。`,
};

import { str } from '@lit/localize';
import type { Translation } from '../messages/spoken.ts';
import type { selfTestEnglish } from './messages-english.ts';

export const selfTestChinese: Translation<typeof selfTestEnglish> = {
  title: '检验这块 GPU',
  caption:
    '每个内核（引擎、解释方法、绘图与基准测试）及其每个变体都在你的 GPU 上运行，并与 CPU 上 float64 的同一数学相比：数值，以及与中心差分相比的梯度。内核或驱动程序若有错误，会在此显示。',
  start: '开始检验',
  again: '重新检验',
  stop: '停止',
  progress: str`已完成 ${0} 例，共 ${1} 例`,
  stopped: '未到结束即被停止。',
  allPassed: str`全部 ${0} 次比较一致。`,
  someFailed: str`${1} 次比较中有 ${0} 次不一致。`,
  failures: '未通过的内容',
  failureIn: str`${0}，${1}`,
  kernels: str`内核：${0}`,
  operation: '运算',
  comparisons: '比较次数',
  variants: '变体',
  worst: '最大误差',
  limit: '容限',
  result: '结果',
  right: '✓ 正确',
  wrong: str`✗ ${0} 次错误`,
  results: '按运算列出',
  details: '各例',
  copy: '复制报告',
  copied: '报告已复制。',
  notCopied: '无法复制报告；请从文本框中取用。',
  reportLabel: '报告，含适配器与浏览器',
};

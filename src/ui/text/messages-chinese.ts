import { str } from '@lit/localize';
import type { Translation } from '../messages/spoken.ts';
import type { textEnglish } from './messages-english.ts';

export const textChinese: Translation<typeof textEnglish> = {
  text: '文本',
  editHint: '改动词语后按回车键：网络读的就是这里写的内容。',
  generated: '这是编造的条款：由一个小语法按种子写成，并非法律文本。',
  evidence: '下划线：语法所知的、决定类别的词。',
  edited: '由你改动，没有已知标签。',
  empty: '其中没有词：网络只读到填充。',
  restore: '恢复原条款',
  unknownWords: str`不在词表中、当作未知词读取：${0}。`,
  cut: str`末尾略去的词数：${0}。网络读 ${1} 个词。`,
  mapOf: str`${0}，逐词`,
  word: str`${0}：${1}`,
  struckWord: str`${0}，已划掉`,
  strike: str`划掉 ${0}`,
  restoreWord: str`放回 ${0}`,
  onEvidence: str`支持该类别的部分中有 ${0} 落在起决定作用的词上`,
  limits: str`−${0} … +${1} · 第 ${2} 步`,
  limitsAlone: str`−${0} … +${1}`,
  shows: {
    inputXGradient: '假如网络处处都像此处一样陡，每个词增加多少。',
    integratedGradients: '从只有填充出发的路上每个词增加多少；各份之和等于对数几率的变化。',
    deepLift: '相对填充每个词增加多少，一次反向即得；各份之和等于对数几率的变化。',
    lrp: '把对数几率逐层交还给各词，注意力保持不变。',
    occlusion: '划掉这个词时，对数几率下降多少。',
  },
  hides: {
    inputXGradient: '看不出词真正消失时会怎样。',
    integratedGradients: '看不出只有合在一起才起作用的词：它们的份额被分开了。',
    deepLift: '看不出为何注意到某个词：分配是按规则进行的。',
    lrp: '看不出是什么把注意力移到别的词上。',
    occlusion: '看不出可以互相替代的词：只划掉一个变化很小。',
  },
};

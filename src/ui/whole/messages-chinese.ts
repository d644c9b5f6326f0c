import type { WholeMessages } from './messages-english.ts';

export const wholeChinese: WholeMessages = {
  fromStep: (step) => `第 ${step} 步时`,
  refresh: (step) => `第 ${step} 步时的结果，刷新`,
  computing: '计算中……',
  waiting: '还没有网络。',

  weightsTitle: '权重',
  weightsNote: '能看出各层是否在学习、是否发散、是否只剩少数方向；看不出某个权重有什么用。',
  tensor: '张量',
  shape: '形状',
  norm: '范数',
  mean: '均值',
  deviation: '标准差',
  range: '范围',
  zeros: '零值',
  notFinite: '非有限值',
  stableRank: '稳定秩',
  histogram: '直方图',
  histogramText: (from, to, most) => `从 ${from} 到 ${to} 的直方图；最满的一格有 ${most} 个值`,

  treeTitle: '与网络作同样回答的小决策树',
  treeNote: (examples) =>
    `由网络对前 ${examples} 个测试样本的回答长成，其中五分之一留作检验。看不出网络如何计算：回答相同的树所问的可能是别的东西。`,
  treeGrow: '生成决策树',
  treeOutline: '决策树的问题',
  treeImage: '像素写作 [行, 列]。',
  treeLeaf: (name, count, all) => `→ ${name}（${all} 个中有 ${count} 个）`,
  treeHere: '当前样本',
  treePath: '所选样本',
  fidelityTitle: '决策树在各深度截断时，与网络回答一致的比例',
  depth: '深度',
  leaves: '叶数',
  fidelityTraining: '生成所用样本',
  fidelityHeldOut: '留出样本',
  interval: '95 % 区间',
  majority: (share) => `若总是回答网络最常给出的类别，留出样本中有 ${share} 会与网络一致。`,

  evaluationTitle: '该相信哪些图',
  evaluationNote: (examples) =>
    `在前 ${examples} 个测试样本上为卡片中的方法评分，并与什么也不解释的图对照。能说明哪些图符合这个网络在这些输入上的行为；不能说明网络是否正确。`,
  evaluationBegin: '评估这些方法',
  cancel: '取消',
  progress: (done, total) => `已完成 ${done} / ${total} 项评分`,
  ranking: '最好的在前；什么也不解释的图在下方',
  method: '方法',
  meanRank: '平均名次',
  error: (value) => `± ${value}`,
  higher: '越高越好',
  lower: '越低越好',
  metrics: {
    deletion: '删除',
    insertion: '插入',
    infidelity: '不忠实度',
    faithfulnessCorrelation: '忠实度相关',
    modelRandomisation: '模型随机化',
  },
  controls: {
    randomMap: '随机图',
    inputMap: '输入本身',
    inputXRandom: '输入 × 随机',
    sobelMap: '输入的边缘',
    constantMap: '常数图',
  },
  finding: (finding, name, number) => {
    const names = (codes: readonly string[]): string => codes.map(name).join('、');
    switch (finding.code) {
      case 'believe': {
        const { methods, examples, randomised } = finding.parameters;
        return `就这 ${examples} 个样本而言，可以相信${names(methods)}：在多数指标上优于所有对照${
          randomised ? '，并且取决于网络学到的内容。' : '。是否取决于网络学到的内容未作测量。'
        }`;
      }
      case 'believe-none':
        return `就这 ${finding.parameters.examples} 个样本而言，这些图都不可信：没有一个既在多数指标上优于对照，又取决于网络。`;
      case 'nothing-measured':
        return '没有测量任何能说明该相信哪个图的指标。';
      case 'no-controls':
        return '没有为对照评分，因此不能说哪个图优于什么也不解释的图。';
      case 'tied':
        return `按这些指标，${names(finding.parameters.methods)}不分高下。`;
      case 'no-better-than-control': {
        const { method, control, metrics, of } = finding.parameters;
        return `${name(method)}在${names(metrics)}上（${of} 项指标中的 ${metrics.length} 项）并不优于什么也不解释的“${name(control)}”。`;
      }
      case 'blind-to-network':
        return `重新抽取网络各层的权重后，${name(finding.parameters.method)}几乎不变（秩相关 ${number(finding.parameters.correlation)}）：它显示的更多是输入，而不是学到的内容。`;
      case 'agree':
        return `${names(finding.parameters.methods)}的图彼此一致（平均秩相关 ${number(finding.parameters.correlation)}）。`;
      case 'disagree':
        return `${names(finding.parameters.methods)}的图彼此不一致（平均秩相关 ${number(finding.parameters.correlation)}）：它们回答不同的问题，没有一个是完整的解释。`;
      case 'few-examples':
        return `样本太少（${finding.parameters.examples} 个），标准误差说明不了什么。`;
    }
  },
};

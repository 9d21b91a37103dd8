/** What a first word that is not yet a command is about. */
export const groupSummaries: Readonly<Record<string, string>> = {
  account: 'keys of this machine: new, import, list, show …',
  register: 'become a node: miner or coordinator',
  node: 'the own node: profile, operator, rest, leave',
  escrow: "a coordinator's money for miners: deposit, lines …",
  vouchers: 'what coordinators signed to pay: list, redeem …',
  coordinator: 'serve apps',
  miner: 'run tasks: start, status, pause, drain …',
  apps: 'API keys of a coordinator: create, list, revoke',
  models: 'what can be run',
  receipt: 'proofs of work done: show, verify',
  report: 'two signatures that contradict each other',
  jury: 'the court: status, commit, reveal, conclude …',
  devnet: 'a whole network on this machine: start, stop …',
}

const topics: readonly [string, readonly string[]][] = [
  ['Stake', ['account', 'stake', 'withdraw', 'bond', 'unbond', 'vote', 'unvote', 'status']],
  ['Earn', ['rewards', 'claim', 'vouchers', 'escrow', 'fund', 'pour']],
  ['Be a node', ['register', 'node', 'nodes', 'coordinator', 'miner']],
  ['Use it', ['apps', 'run', 'models', 'receipt']],
  ['Court', ['challenge', 'report', 'jury', 'appeal']],
  ['Networks', ['deploy', 'devnet', 'faucet', 'demo']],
]

/** The heading of root help that a command stands under. */
export function findTopic(path: string): string {
  return topics.find(([, words]) => words.includes(path.split(' ')[0] as string))?.[0] ?? 'This tool'
}

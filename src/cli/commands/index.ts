import type { Command } from '../defineCommand.ts'

/** A command as root help needs it: nothing of it is loaded yet. */
export interface CommandEntry {
  /** as it is typed, and the path of its file below this folder */
  path: string
  /** one line for lists; starts the command's own help too where it has no description */
  summary: string
  load(): Promise<Command>
}

/** What a first word that is not yet a command is about. */
export const groupSummaries: Readonly<Record<string, string>> = {
  account: 'keys of this machine: new, import, list, show …',
  register: 'become a node: miner or coordinator',
  node: 'the own node: profile, operator, leave',
  coordinator: 'serve apps',
  miner: 'run tasks',
  apps: 'API keys of a coordinator: create, list, revoke',
  models: 'what can be run',
  receipt: 'proofs of work done: show, verify',
  devnet: 'a whole network on this machine: start, stop …',
}

const topics: readonly [string, readonly string[]][] = [
  ['Stake', ['account', 'stake', 'withdraw', 'bond', 'unbond', 'vote', 'unvote', 'status']],
  ['Be a node', ['register', 'node', 'nodes', 'coordinator', 'miner']],
  ['Use it', ['apps', 'run', 'models', 'receipt']],
  ['Networks', ['deploy', 'devnet', 'faucet', 'demo']],
]

/** The heading of root help that a command stands under. */
export function findTopic(path: string): string {
  return topics.find(([, words]) => words.includes(path.split(' ')[0] as string))?.[0] ?? 'This tool'
}

/** Every command, in the order of help: staking, nodes, roles, apps, networks, the tool itself. */
export const commandEntries: readonly CommandEntry[] = [
  { path: 'account new', summary: 'make a key and keep it encrypted', load: async () => (await import('./account/new.ts')).accountNew },
  { path: 'account import', summary: 'keep an existing private key encrypted', load: async () => (await import('./account/import.ts')).accountImport },
  { path: 'account export', summary: 'hand out a private key or keystore', load: async () => (await import('./account/export.ts')).accountExport },
  { path: 'account list', summary: 'list the accounts of this machine', load: async () => (await import('./account/list.ts')).accountList },
  { path: 'account show', summary: 'show one account and where its file is', load: async () => (await import('./account/show.ts')).accountShow },
  { path: 'stake', summary: 'put CAI into free: no weight, no risk yet', load: async () => (await import('./stake.ts')).stake },
  { path: 'withdraw', summary: 'take free and released CAI out', load: async () => (await import('./withdraw.ts')).withdraw },
  { path: 'bond', summary: "move free CAI to the own node's bond", load: async () => (await import('./bond.ts')).bond },
  { path: 'unbond', summary: 'start the thaw of bond', load: async () => (await import('./unbond.ts')).unbond },
  { path: 'vote', summary: 'move free CAI to the votes of a node', load: async () => (await import('./vote.ts')).vote },
  { path: 'unvote', summary: 'start the thaw of votes', load: async () => (await import('./unvote.ts')).unvote },
  { path: 'status', summary: 'show every bucket of an account with its dates', load: async () => (await import('./status.ts')).status },
  { path: 'register miner', summary: 'become a miner: bond over 20,000 CAI', load: async () => (await import('./register/miner.ts')).registerMiner },
  {
    path: 'register coordinator',
    summary: 'become a coordinator: bond over 2,000,000 CAI',
    load: async () => (await import('./register/coordinator.ts')).registerCoordinator,
  },
  { path: 'node show', summary: 'show a node', load: async () => (await import('./node/show.ts')).nodeShow },
  { path: 'node set-profile', summary: "change a node's name, URL or description", load: async () => (await import('./node/setProfile.ts')).nodeSetProfile },
  { path: 'node set-operator', summary: 'give a node another operator key', load: async () => (await import('./node/setOperator.ts')).nodeSetOperator },
  {
    path: 'node sign-operator',
    summary: "sign for a cold owner, on the operator's machine",
    load: async () => (await import('./node/signOperator.ts')).nodeSignOperator,
  },
  {
    path: 'node set-voter-share',
    summary: "change the voters' part of the income",
    load: async () => (await import('./node/setVoterShare.ts')).nodeSetVoterShare,
  },
  { path: 'node deregister', summary: 'leave: the whole bond starts to thaw', load: async () => (await import('./node/deregister.ts')).nodeDeregister },
  { path: 'nodes', summary: 'list the registered nodes', load: async () => (await import('./nodes.ts')).nodes },
  {
    path: 'coordinator serve',
    summary: 'serve apps and give their tasks to miners',
    load: async () => (await import('./coordinator/serve.ts')).coordinatorServe,
  },
  { path: 'miner start', summary: 'run tasks of coordinators', load: async () => (await import('./miner/start.ts')).minerStart },
  { path: 'apps create', summary: 'make an API key, shown once', load: async () => (await import('./apps/create.ts')).appsCreate },
  { path: 'apps list', summary: 'list the API keys', load: async () => (await import('./apps/list.ts')).appsList },
  { path: 'apps revoke', summary: 'end an API key at once', load: async () => (await import('./apps/revoke.ts')).appsRevoke },
  { path: 'run', summary: 'send a prompt and print the answer as it comes', load: async () => (await import('./run.ts')).run },
  { path: 'models list', summary: 'list models here and at the coordinator', load: async () => (await import('./models/list.ts')).modelsList },
  { path: 'receipt show', summary: 'show the receipt of a task', load: async () => (await import('./receipt/show.ts')).receiptShow },
  { path: 'receipt verify', summary: 'check signatures, hashes and price of a receipt', load: async () => (await import('./receipt/verify.ts')).receiptVerify },
  { path: 'deploy', summary: 'put the contracts on a chain', load: async () => (await import('./deploy.ts')).deploy },
  { path: 'devnet start', summary: 'start a chain, contracts, coordinator and miners', load: async () => (await import('./devnet/start.ts')).devnetStart },
  { path: 'devnet stop', summary: 'end the devnet', load: async () => (await import('./devnet/stop.ts')).devnetStop },
  { path: 'devnet status', summary: 'show what runs', load: async () => (await import('./devnet/status.ts')).devnetStatus },
  { path: 'devnet env', summary: 'print exports for scripts', load: async () => (await import('./devnet/env.ts')).devnetEnv },
  { path: 'devnet warp', summary: "move the devnet's clock forward", load: async () => (await import('./devnet/warp.ts')).devnetWarp },
  { path: 'faucet', summary: 'get CAI on the devnet; says where elsewhere', load: async () => (await import('./faucet.ts')).faucet },
  { path: 'demo', summary: 'play the whole network once, with real processes', load: async () => (await import('./demo.ts')).demo },
  { path: 'completion', summary: 'print completions for bash, zsh or fish', load: async () => (await import('./completion.ts')).completion },
]

import { defineError } from './cuckooError.ts'

export const minerStarting = defineError('CUCKOO_CONTROL_MINER_STARTING', 'unavailable', () => ({
  message: 'The miner is starting: its models are being fetched and loaded.',
  hint: 'Try again in a moment; the terminal of `cuckoo miner start` shows how far it is.',
}))
export const minerNotReady = defineError('CUCKOO_CONTROL_MINER_NOT_READY', 'unavailable', (f: { reason: string }) => ({
  message: `The miner takes no tasks: ${f.reason}.`,
  hint: '`cuckoo miner status` shows more.',
}))
export const minerNotRunning = defineError('CUCKOO_CONTROL_MINER_NOT_RUNNING', 'rejected', (f: { network: string; node: string | null; home: string }) => ({
  message: f.node === null ? `No miner of '${f.network}' runs in ${f.home}.` : `The miner ${f.node} does not run in ${f.home}.`,
  hint: 'Start it with `cuckoo miner start`; give --home or --network where it runs with another.',
}))
export const minerAmbiguous = defineError('CUCKOO_CONTROL_MINER_AMBIGUOUS', 'usage', (f: { command: string; nodes: readonly string[] }) => ({
  message: `${f.nodes.length} miners run here: ${f.nodes.join(', ')}.`,
  hint: `Name one: \`${f.command} <address or account>\`.`,
}))
export const controlFailed = defineError('CUCKOO_CONTROL_FAILED', 'unavailable', (f: { endpoint: string; reason: string }) => ({
  message: `The miner at ${f.endpoint} gives no answer: ${f.reason}.`,
  hint: 'See whether its process still runs; start it again with `cuckoo miner start`.',
}))
export const metricsListenFailed = defineError('CUCKOO_CONTROL_METRICS_LISTEN_FAILED', 'config', (f: { host: string; port: number; reason: string }) => ({
  message: `Cannot listen on ${f.host} port ${f.port} for health and metrics: ${f.reason}.`,
  hint: 'Give another address with `--metrics-listen 127.0.0.1:<port>`; port 0 takes any free one.',
}))

import { defineError } from './cuckooError.ts'

export const checkFailed = defineError('CUCKOO_DOCTOR_CHECK_FAILED', 'config', (f: { check: string; problem: string; fix: string }) => ({
  message: `${f.check}: ${f.problem}.`,
  hint: f.fix,
}))
export const coordinatorsUnreachable = defineError(
  'CUCKOO_DOCTOR_COORDINATORS_UNREACHABLE',
  'unavailable',
  (f: { coordinators: number; network: string; last: string }) => ({
    message: `None of the ${f.coordinators} active coordinators on '${f.network}' answers: ${f.last}`,
    hint: 'Check the network and firewall of this machine for outgoing https; `cuckoo nodes --role coordinator` lists them.',
  }),
)
export const nothingToSetUp = defineError('CUCKOO_SETUP_NOTHING_NAMED', 'usage', () => ({
  message: 'Nothing to set up is named.',
  hint: 'The CPU and WebGPU need nothing. For NVIDIA on Linux: `cuckoo miner setup --cuda`.',
}))

import { type DeviceName, deviceNames } from '../../src/domain/enginePort.ts'

const wanted = process.env.CUCKOO_TEST_DEVICE ?? 'cpu'
if (!(deviceNames as readonly string[]).includes(wanted)) throw new Error(`CUCKOO_TEST_DEVICE=${wanted} is none of ${deviceNames.join(', ')}`)

/** What tests of the engine run on: the CPU, or on a machine with a GPU what CUCKOO_TEST_DEVICE names. A named device that is not there fails them. */
export const testDevice = wanted as DeviceName

/** How far two float32 vectors of length 1 may lie apart that were computed in another order: measured 9e-8 on a CPU; GPUs sum in other orders and contract. */
export const vectorTolerance = testDevice === 'cpu' ? 1e-6 : 1e-4

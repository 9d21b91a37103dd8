import { type TaskKind, taskKindTraits } from '../domain/taskKinds.ts'

/** `units` of a kind with their name. @example formatUnits(2n, 'transcription') // '2 seconds of audio' */
export function formatUnits(units: bigint | number, kind: TaskKind): string {
  const [first = '', ...rest] = taskKindTraits[kind].unit.split(' of ')
  return [`${units} ${first}${BigInt(units) === 1n ? '' : 's'}`, ...rest].join(' of ')
}

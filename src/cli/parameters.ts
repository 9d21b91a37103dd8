import { z } from 'zod'
import { formatAmount } from '../domain/amount.ts'
import type { NetworkParameters } from '../domain/chainPort.ts'
import { assertNetworkParameters, devnetParameters, publicParameters } from '../domain/networkParameters.ts'
import { parametersInvalid } from '../errors/chain.ts'
import { valueInvalid } from '../errors/cli.ts'
import { isError } from '../errors/cuckooError.ts'
import { formatCai } from './format.ts'
import { zAmount, zDuration, zSeconds, zWei } from './schemas.ts'

export const presets = { public: publicParameters, devnet: devnetParameters }

type Durations = Exclude<keyof NetworkParameters, 'jurorFeeWei' | 'seats'>

/** A flag of each duration: its parameter, and what it is. */
const durations = {
  thaw: ['thawSeconds', 'how long stake thaws'],
  epoch: ['epochSeconds', 'epoch in which bonds are kept, for juries'],
  reward: ['rewardSeconds', 'period over which rewards flow'],
  drip: ['dripSeconds', "time in which task income reaches a node's voters"],
  freeze: ['freezeSeconds', 'longest that disputes can hold an exit'],
  topUp: ['topUpSeconds', 'time to cover a claim on a bond'],
  draw: ['drawSeconds', "epoch of a coordinator's draws"],
  grace: ['graceSeconds', 'time to reveal a draw secret after it'],
  evidence: ['evidenceSeconds', 'how long a result can be challenged'],
  seal: ['sealSeconds', "wait for a jury's randomness"],
  commit: ['commitSeconds', 'time for jurors to commit'],
  reveal: ['revealSeconds', 'time for jurors to reveal'],
  appeal: ['appealSeconds', 'time to appeal'],
  jail: ['jailSeconds', 'how long a convicted node is jailed'],
} as const satisfies Record<string, readonly [Durations, string]>
type DurationFlag = keyof typeof durations

const zSeats = z
  .string()
  .regex(/^\d{1,4},\d{1,4},\d{1,4}$/, 'is not three numbers like 7,15,63')
  .transform((text) => text.split(',').map(Number) as unknown as readonly [number, number, number])

const toDefaults = (show: (parameters: NetworkParameters) => string) => `(${show(publicParameters)}; devnet: ${show(devnetParameters)})`

const zDurationOption = zDuration.transform((ms) => Math.floor(ms / 1000)).optional()

/** `seconds` as a person types them, with every unit. @example formatExactly(87_000) // '1d10m' */
function formatExactly(seconds: number): string {
  const units: [string, number][] = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ]
  let rest = seconds
  const parts = units.map(([unit, size]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return count === 0 ? '' : `${count}${unit}`
  })
  return parts.join('') || '0s'
}

/** Options of `deploy`, one for each parameter; what is not given is the preset's. */
export const parameterOptions = {
  ...(Object.fromEntries(
    Object.entries(durations).map(([flag, [key, doc]]) => [
      flag,
      zDurationOption.describe(`${doc} ${toDefaults((parameters) => formatExactly(parameters[key]))}`).meta({ placeholder: 'duration' }),
    ]),
  ) as Record<DurationFlag, typeof zDurationOption>),
  jurorFee: zAmount
    .optional()
    .describe(`fee of a jury seat in CAI ${toDefaults(({ jurorFeeWei }) => formatCai(jurorFeeWei))}`)
    .meta({ placeholder: 'amount' }),
  seats: zSeats
    .optional()
    .describe(`seats of the three rounds ${toDefaults(({ seats }) => seats.join(','))}`)
    .meta({ placeholder: 'a,b,c' }),
}

export const zParameters = z.object({
  ...(Object.fromEntries(Object.values(durations).map(([key]) => [key, zSeconds])) as Record<Durations, typeof zSeconds>),
  jurorFeeWei: zWei,
  seats: z.tuple([z.int(), z.int(), z.int()]).readonly(),
})

type Given = { [K in DurationFlag]?: number | undefined } & { jurorFee?: bigint | undefined; seats?: NetworkParameters['seats'] | undefined }

/**
 * The parameters that were asked for, checked by the rules of the contracts' constructors.
 * @throws CUCKOO_CLI_VALUE_INVALID naming the flag to change
 */
export function toParameters(preset: keyof typeof presets, given: Given, command: string): NetworkParameters {
  const base = presets[preset]
  const chosen = Object.entries(durations).map(([flag, [key]]) => [key, given[flag as DurationFlag] ?? base[key]])
  const parameters: NetworkParameters = {
    ...(Object.fromEntries(chosen) as Record<Durations, number>),
    jurorFeeWei: given.jurorFee ?? base.jurorFeeWei,
    seats: given.seats ?? base.seats,
  }
  try {
    assertNetworkParameters(parameters)
  } catch (cause) {
    if (!isError(cause, parametersInvalid)) throw cause
    const { name, rule } = cause.facts as { name: string; rule: string }
    throw valueInvalid({ ...toTyped(name, parameters), problem: `is refused: ${rule}`, command }, { cause })
  }
  return parameters
}

/** A parameter's flag and its value as it is typed. */
function toTyped(name: string, parameters: NetworkParameters): { name: string; value: string } {
  if (name === 'seats') return { name: '--seats', value: parameters.seats.join(',') }
  if (name === 'jurorFeeWei') return { name: '--juror-fee', value: formatAmount(parameters.jurorFeeWei) }
  const flag = Object.entries(durations).find(([, [key]]) => key === name)?.[0] ?? name
  return { name: `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, value: formatExactly(parameters[name as Durations]) }
}

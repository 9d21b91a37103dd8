import { parameterUnsupported, requestInvalid } from '../errors/api.ts'

/**
 * Refuses every parameter of `body` that is not known and does not ask for what happens anyway. `null` means "not given" in
 * OpenAI's API.
 * @throws CUCKOO_API_PARAMETER_UNSUPPORTED
 */
export function assertParameters(
  body: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>,
  neutral: Readonly<Record<string, readonly unknown[]>>,
): void {
  for (const [name, value] of Object.entries(body)) {
    if (value === null || value === undefined || known.has(name) || (Object.hasOwn(neutral, name) && neutral[name]?.includes(value))) continue
    throw parameterUnsupported({ parameter: name.slice(0, 100), value: (JSON.stringify(value) ?? String(value)).slice(0, 100) })
  }
}

/**
 * A uint64 as OpenAI's `seed` gives it.
 * @throws CUCKOO_API_REQUEST_INVALID when it does not fit 64 bits
 */
export function toSeed(seed: number | string | null | undefined): bigint | undefined {
  if (seed === null || seed === undefined) return undefined
  const value = BigInt(seed)
  if (value >> 64n !== 0n) throw requestInvalid({ where: 'seed', problem: `${value} does not fit 64 bits` })
  return value
}

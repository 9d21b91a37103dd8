import type { CuckooError } from '../../errors/cuckooError.ts'
import { CuckooError as Coded } from '../../errors/cuckooError.ts'
import { checkFailed } from '../../errors/doctor.ts'
import { internalError } from '../../errors/internal.ts'

/** One thing that a miner needs. */
export interface Check {
  name: string
  /** `warn`: it works, with less; `skipped`: it could not be looked at, or need not be there */
  state: 'ok' | 'warn' | 'fail' | 'skipped'
  detail: string
  /** what to type or do; null: nothing */
  fix: string | null
  /** of a failed check: what the command ends with when this is the first */
  error: CuckooError | null
}

export function toOk(name: string, detail: string): Check {
  return { name, state: 'ok', detail, fix: null, error: null }
}

export function toWarning(name: string, detail: string, fix: string | null): Check {
  return { name, state: 'warn', detail, fix, error: null }
}

export function toSkipped(name: string, detail: string, fix: string | null = null): Check {
  return { name, state: 'skipped', detail, fix, error: null }
}

export function toFailure(name: string, problem: string, fix: string): Check {
  return { name, state: 'fail', detail: problem, fix, error: checkFailed({ check: name, problem, fix }) }
}

/** A check that a coded error ended. */
export function fromError(name: string, error: unknown): Check {
  const coded = error instanceof Coded ? error : internalError({ reason: error instanceof Error ? error.message : String(error) }, { cause: error })
  return { name, state: 'fail', detail: coded.message.replace(/\.$/, ''), fix: coded.hint ?? null, error: coded }
}

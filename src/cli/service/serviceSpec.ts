/** What a service manager has to know of a miner, whichever it is. */
export interface ServiceSpec {
  /** for people */
  description: string
  /** program and arguments, as the program gets them; the program is an absolute path */
  command: readonly [string, ...string[]]
  /** `user`: while its user is logged in, with no rights of others; `system`: from the start of the machine */
  scope: 'user' | 'system'
  /** name of the user that it runs as */
  user: string
  /** the cuckoo home: the one folder that it writes to */
  home: string
  /** how long an end may take: what `--grace` allows, and some for the farewell */
  stopSeconds: number
}

export const serviceName = 'cuckoo-miner'

/** Exit code of errors of kind `unavailable`: try again later. */
export const restartExitCode = 75

/** Seconds between an end and the next start. */
export const restartSeconds = 10

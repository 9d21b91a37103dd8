import type { z } from 'zod'
import type { Config } from '../config/loadConfig.ts'
import type { Output } from './output.ts'
import type { Ports } from './ports.ts'
import type { Prompts } from './prompts.ts'

/** A command as another one sees it. */
export interface ListedCommand {
  path: string
  summary: string
  load(): Promise<{ args: z.ZodObject; options: z.ZodObject }>
}

/** What a command has at hand while it runs. `R` is its output. */
export interface Context<R = unknown> {
  /** as it is typed, without arguments: `cuckoo node show` */
  command: string
  /** every command there is */
  entries: readonly ListedCommand[]
  config: Config
  output: Output
  prompts: Prompts
  ports: Ports
  /** aborted by the first Ctrl-C or SIGTERM, and when the reader of stdout has gone */
  signal: AbortSignal
  /** prints one output: shown to people, or as a line of JSON */
  emit(value: R): void
  /** unix seconds of this machine's clock */
  nowSeconds(): number
}

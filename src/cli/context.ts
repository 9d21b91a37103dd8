import type { Config } from '../config/loadConfig.ts'
import type { Output } from './output.ts'
import type { Ports } from './ports.ts'
import type { Prompts } from './prompts.ts'

/** What a command has at hand while it runs. `R` is its output. */
export interface Context<R = unknown> {
  /** as it is typed, without arguments: `cuckoo node show` */
  command: string
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

import type { z } from 'zod'
import type { Context } from './context.ts'
import type { Output } from './output.ts'

export interface Example {
  /** as it is typed */
  command: string
  /** what it does, a few words */
  note: string
}

/** What a schema of an argument or option may say of itself in `.meta()`, beside `.describe()`. */
export interface FieldMeta {
  description?: string
  /** long flag; default: the key in kebab case */
  flag?: string
  short?: string
  /** what stands for the value in help; default: the type */
  placeholder?: string
  /** environment variable that is read when the flag is absent */
  env?: string
  /** key of config/keys.ts whose environment variable and file entry are read when the flag is absent */
  config?: string
}

export interface CommandDefinition<A extends z.ZodObject, O extends z.ZodObject, R extends z.ZodType> {
  /** more than the summary says: paragraphs for `--help` */
  description?: string
  examples: readonly [Example, ...Example[]]
  /** positional arguments in their order; an array comes last and takes the rest */
  args: A
  options: O
  /** one line that `--json` prints; codecs turn bigint into decimal strings */
  output: R
  /** serves until it is told to stop: the first Ctrl-C lets it drain */
  longRunning?: true
  /** Does the work. What it returns is printed; `context.emit` prints before the end. */
  run(input: { args: z.output<A>; options: z.output<O> }, context: Context<z.output<R>>): Promise<z.output<R> | undefined>
  /** Shows one output to people. */
  view(value: z.output<R>, screen: Output, context: Context<z.output<R>>): void
}

/** A command with its types forgotten: what the command line is built from. */
export interface Command {
  description?: string
  examples: readonly [Example, ...Example[]]
  args: z.ZodObject
  options: z.ZodObject
  output: z.ZodType
  longRunning?: true
  run(input: { args: unknown; options: unknown }, context: Context<unknown>): Promise<unknown>
  view(value: unknown, screen: Output, context: Context<unknown>): void
}

/**
 * A command as a value. Flags, help, JSON shape and their tests derive from it; its path and summary stand in
 * commands/index.ts, so that `cuckoo --help` loads neither this nor zod.
 */
export function defineCommand<A extends z.ZodObject, O extends z.ZodObject, R extends z.ZodType>(definition: CommandDefinition<A, O, R>): Command {
  return definition as unknown as Command
}

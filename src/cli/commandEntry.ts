import type { Command } from './defineCommand.ts'

/** A command as root help needs it: nothing of it is loaded yet. */
export interface CommandEntry {
  /** as it is typed, and the path of its file below this folder */
  path: string
  /** one line for lists; starts the command's own help too where it has no description */
  summary: string
  load(): Promise<Command>
}

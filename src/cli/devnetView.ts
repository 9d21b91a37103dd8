import type { DevnetEvent } from '../devnet/startDevnet.ts'
import { foldCommand } from './fold.ts'
import type { Output } from './output.ts'

/** One thing that happened while a network came up. */
export function viewDevnetEvent(event: DevnetEvent, screen: Output): void {
  if (event.type === 'section') {
    screen.line()
    screen.line(screen.style('bold', event.title))
  }
  if (event.type === 'command') {
    screen.line(foldCommand(event.command, screen.columns, '  $ '))
    if (event.note !== '') screen.line(screen.style('dim', `    ${event.note}`))
  }
  if (event.type === 'ended')
    screen.warn(`${event.name} ended by itself (${event.exitCode === null ? 'a signal' : `exit code ${event.exitCode}`}): see ${event.logFile}`)
}

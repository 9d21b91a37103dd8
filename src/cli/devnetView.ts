import type { DevnetEvent } from '../devnet/startDevnet.ts'
import type { Output } from './output.ts'

/** One thing that happened while a network came up. */
export function viewDevnetEvent(event: DevnetEvent, screen: Output): void {
  if (event.type === 'section') {
    screen.line()
    screen.line(screen.style('bold', event.title))
  }
  if (event.type === 'command') {
    for (const line of wrapCommand(event.command, screen.columns - 4)) screen.line(line)
    if (event.note !== '') screen.line(screen.style('dim', `    ${event.note}`))
  }
  if (event.type === 'ended') screen.warn(`${event.name} ended by itself (exit code ${event.exitCode})`)
}

/** A command line folded between words, as a shell reads it: never inside quotes. */
function wrapCommand(command: string, width: number): string[] {
  const lines: string[] = []
  let line = '  $'
  for (const word of command.match(/(?:'[^']*'|[^\s'])+/g) ?? []) {
    if (line.length + 1 + word.length > width) {
      lines.push(`${line} \\`)
      line = '     '
    }
    line += ` ${word}`
  }
  return [...lines, line]
}

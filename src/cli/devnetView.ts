import type { DevnetEvent } from '../devnet/startDevnet.ts'
import type { Output } from './output.ts'

/** Shows a step of a network that comes up: the command as it was called, and what came of it. */
export function viewDevnetEvent(event: DevnetEvent, screen: Output): void {
  if (event.type === 'section') {
    screen.line()
    screen.line(screen.style('bold', event.title))
  } else if (event.type === 'command') {
    screen.line(`  ${screen.style('dim', '$')} ${event.command}`)
    screen.line(`    ${screen.style('dim', event.note)}`)
  }
}

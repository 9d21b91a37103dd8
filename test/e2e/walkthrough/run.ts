/** `npm run walkthrough`: the play on the screen. Exit 1 at the first thing that is not as it must be. */
import { runWalkthrough } from './walkthrough.ts'

const startedAt = performance.now()
await runWalkthrough((line) => process.stdout.write(`${line}\n`))
process.stdout.write(`\nAll of it held. ${Math.round((performance.now() - startedAt) / 1000)} s\n`)

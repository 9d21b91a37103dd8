import { fileURLToPath } from 'node:url'

/** Path of bin/cuckoo.js, for processes that run this same program. */
export const programScript = fileURLToPath(new URL('../../bin/cuckoo.js', import.meta.url))

/** How the program is called here: `npx cuckoo` inside the project, where npm started it, else `cuckoo`. */
export const programWords = process.env['npm_lifecycle_event'] === undefined ? 'cuckoo' : 'npx cuckoo'

#!/usr/bin/env node
// The compiler as forge wants it: forge downloads a native solc, this wraps the npm package instead, so that a build needs
// no network and the version is in package-lock.json. forge calls `--version`, then `--standard-json` with JSON on stdin.
// Every other flag (`--allow-paths`, `--base-path`) concerns files, and standard JSON from forge carries its sources.
import { readFileSync } from 'node:fs'
import solc from 'solc'

if (process.argv.includes('--version')) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`)
} else if (process.argv.includes('--standard-json')) {
  process.stdout.write(solc.compile(readFileSync(0, 'utf8')))
} else {
  process.stderr.write('solc.js answers --version and --standard-json only\n')
  process.exitCode = 2
}

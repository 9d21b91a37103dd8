import { type Logger, pino } from 'pino'

export type { Logger }
export const logLevels = ['silent', 'error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof logLevels)[number]

/** Names of fields that never reach a log, wherever they stand in the first three levels. */
const secretFields = ['privateKey', 'password', 'key', 'apiKey', 'authorization', 'token', 'secret', 'mac']
const secretPaths = secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`])

/** A JSON logger on stderr (one object per line, unix ms), secrets redacted. Written synchronously: a crash loses nothing. */
export function createLogger(options: { level: LogLevel; name: string }): Logger {
  return pino(
    { level: options.level, name: options.name, base: { name: options.name, pid: process.pid }, redact: { paths: secretPaths, censor: '[redacted]' } },
    pino.destination({ dest: 2, sync: true }),
  )
}

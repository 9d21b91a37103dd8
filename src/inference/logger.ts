/** The part of a pino logger that this folder writes to; telemetry's logger fits. */
export interface InferenceLogger {
  debug(fields: Record<string, unknown>, message: string): void
  info(fields: Record<string, unknown>, message: string): void
  warn(fields: Record<string, unknown>, message: string): void
}

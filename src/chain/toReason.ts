/** The system's code of a failed file operation, like ENOENT. */
export function toReason(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'
}

/** Another machine's text as it may go to a terminal or a file of ours: no control characters, no endless lines. @example toPlainText('a\nb') // 'a b' */
export function toPlainText(text: string, maxCharacters = 2000): string {
  return text.slice(0, maxCharacters).replace(/\p{Cc}+/gu, ' ')
}

const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/**
 * `date` (YYYY-MM-DD, midnight) in Python's strftime format, in English on every machine: what a chat template's `strftime_now`
 * answers, so that a prompt does not depend on who renders it.
 * @example formatTemplateDate('2026-02-03', '%d %b %Y') // '03 Feb 2026'
 */
export function formatTemplateDate(date: string, format: string): string {
  const [year = '1970', month = '01', day = '01'] = date.split('-')
  const monthName = months[Number(month) - 1] ?? ''
  const dayName = days[new Date(`${date}T00:00:00Z`).getUTCDay()] ?? ''
  const parts: Record<string, string> = {
    Y: year,
    y: year.slice(-2),
    m: month,
    d: day,
    B: monthName,
    b: monthName.slice(0, 3),
    A: dayName,
    a: dayName.slice(0, 3),
    H: '00',
    I: '12',
    M: '00',
    S: '00',
    p: 'AM',
    '%': '%',
  }
  return format.replace(/%([a-zA-Z%])/g, (token, letter: string) => parts[letter] ?? token)
}

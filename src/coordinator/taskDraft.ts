import type { NewTask } from '../domain/storePorts.ts'
import type { TaskContent } from '../domain/task.ts'

/** A task's content before it is a task, and what is to be kept with it: media that came in the request. */
export interface TaskDraft {
  content: TaskContent
  blobs: NewTask['blobs']
}

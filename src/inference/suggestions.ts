import type { ModelSuggestion } from '../domain/engineTools.ts'

// Repositories in transformers.js' or diffusers' layout. Parameters as their papers and model cards give them; sizes follow from
// these and are approximate: quantised files keep some tensors whole.
const classic = ['fp32', 'q8'] as const
const modern = ['fp32', 'fp16', 'q8', 'q4', 'q4f16'] as const

/** Models of the hub to begin with, a few of each kind, smallest first. */
export const suggestions: readonly ModelSuggestion[] = Object.freeze([
  { model: 'HuggingFaceTB/SmolLM2-135M-Instruct', kind: 'text', note: 'small chat, English', millionParameters: 135, dtypes: modern },
  { model: 'onnx-community/Qwen2.5-0.5B-Instruct', kind: 'text', note: 'chat, many languages', millionParameters: 494, dtypes: modern },
  { model: 'onnx-community/Llama-3.2-1B-Instruct', kind: 'text', note: 'chat', millionParameters: 1_236, dtypes: modern },
  { model: 'Xenova/all-MiniLM-L6-v2', kind: 'embedding', note: 'sentences, English', millionParameters: 23, dtypes: classic },
  { model: 'Xenova/bge-base-en-v1.5', kind: 'embedding', note: 'search, English', millionParameters: 109, dtypes: classic },
  { model: 'Xenova/multilingual-e5-small', kind: 'embedding', note: 'search, 100 languages', millionParameters: 118, dtypes: classic },
  { model: 'modularai/stable-diffusion-1.5-onnx', kind: 'image', note: '512 × 512 pictures', millionParameters: 1_066, dtypes: ['fp32'] },
  { model: 'Xenova/whisper-tiny', kind: 'transcription', note: 'speech, 99 languages', millionParameters: 39, dtypes: classic },
  { model: 'Xenova/whisper-base', kind: 'transcription', note: 'speech, 99 languages', millionParameters: 74, dtypes: classic },
  { model: 'Xenova/mms-tts-eng', kind: 'speech', note: 'English voice', millionParameters: 36, dtypes: classic },
  { model: 'Xenova/opus-mt-en-de', kind: 'translation', note: 'English to German', millionParameters: 74, dtypes: classic },
  { model: 'Xenova/distilbart-cnn-6-6', kind: 'summarization', note: 'news, English', millionParameters: 230, dtypes: classic },
  {
    model: 'Xenova/distilbert-base-uncased-finetuned-sst-2-english',
    kind: 'text-classification',
    note: 'sentiment, English',
    millionParameters: 67,
    dtypes: classic,
  },
  { model: 'Xenova/mobilebert-uncased-mnli', kind: 'zero-shot-classification', note: 'own labels, English', millionParameters: 25, dtypes: classic },
  { model: 'Xenova/bert-base-NER', kind: 'token-classification', note: 'names in English', millionParameters: 108, dtypes: classic },
  { model: 'Xenova/vit-base-patch16-224', kind: 'image-classification', note: '1,000 things', millionParameters: 87, dtypes: classic },
  { model: 'Xenova/detr-resnet-50', kind: 'object-detection', note: '80 things with boxes', millionParameters: 41, dtypes: classic },
  { model: 'Xenova/vit-gpt2-image-captioning', kind: 'captioning', note: 'a sentence on a picture', millionParameters: 239, dtypes: classic },
  { model: 'Xenova/depth-anything-small-hf', kind: 'depth-estimation', note: 'depth of any picture', millionParameters: 25, dtypes: classic },
  { model: 'Xenova/swin2SR-classical-sr-x2-64', kind: 'image-to-image', note: 'twice as large', millionParameters: 12, dtypes: classic },
] satisfies ModelSuggestion[])

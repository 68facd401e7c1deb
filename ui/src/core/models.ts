/** Models as a person sets them: the providers that are offered, and what the form sends. */
import type { KeyStorage, ModelInfo, ModelKind, ModelSettings, ModelTest } from '../types';

export interface Provider {
  name: string;
  label: string;
  kind: ModelKind;
  /** Empty for the provider's own. */
  baseUrl: string;
  /** Whether it runs on a desk and wants no key. */
  local: boolean;
  /** What a model is called there. */
  example: string;
}

export const PROVIDERS: readonly Provider[] = [
  { name: 'openrouter', label: 'OpenRouter', kind: 'openai', baseUrl: 'https://openrouter.ai/api/v1', local: false, example: 'anthropic/claude-sonnet-4.5' },
  { name: 'anthropic', label: 'Anthropic', kind: 'anthropic', baseUrl: '', local: false, example: 'claude-sonnet-4-5' },
  { name: 'openai', label: 'OpenAI', kind: 'openai', baseUrl: '', local: false, example: 'gpt-5.1' },
  { name: 'ollama', label: 'Ollama', kind: 'openai', baseUrl: 'http://localhost:11434/v1', local: true, example: 'qwen3-vl:8b' },
  { name: 'lmstudio', label: 'LM Studio', kind: 'openai', baseUrl: 'http://localhost:1234/v1', local: true, example: 'qwen/qwen3-vl-8b' },
  { name: 'vllm', label: 'vLLM', kind: 'openai', baseUrl: 'http://localhost:8000/v1', local: true, example: 'Qwen/Qwen3-VL-8B-Instruct' },
  { name: 'other', label: 'Another server', kind: 'openai', baseUrl: '', local: false, example: '' },
];

export interface ModelDraft {
  provider: string;
  name: string;
  baseUrl: string;
  model: string;
  smallModel: string;
  key: string;
  default: boolean;
}

/** Returns an empty form for a provider. */
export function draftFor(provider: Provider): ModelDraft {
  return { provider: provider.name, name: provider.name, baseUrl: provider.baseUrl, model: '', smallModel: '', key: '', default: false };
}

/** Returns the form of a model that is there; its key stays where it is. */
export function draftOf(model: ModelInfo): ModelDraft {
  const baseUrl = model.baseUrl ?? '';
  const provider = PROVIDERS.find((each) => each.kind === model.kind && each.baseUrl === baseUrl) ?? PROVIDERS.at(-1);
  return { provider: provider?.name ?? 'other', name: model.name, baseUrl, model: model.model, smallModel: model.smallModel ?? '', key: '', default: model.default };
}

/** Returns the body of `PUT /v1/models/{name}`; `before` keeps what the form does not show. */
export function settingsOf(draft: ModelDraft, before: ModelInfo | null): ModelSettings {
  const kind = draft.provider === 'other' ? (before?.kind ?? 'openai') : (PROVIDERS.find((each) => each.name === draft.provider)?.kind ?? 'openai');
  const given = (text: string) => (text.trim() === '' ? undefined : text.trim());
  const all = {
    kind,
    baseUrl: given(draft.baseUrl),
    model: draft.model.trim(),
    smallModel: given(draft.smallModel),
    apiKey: given(draft.key),
    contextWindow: before?.contextWindow ?? undefined,
    default: draft.default,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as ModelSettings;
}

/** Returns what is missing before the form can be sent, or `null`. */
export function missingOf(draft: ModelDraft): string | null {
  if (!/^[\w.-]*\w[\w.-]*$/.test(draft.name.trim())) return 'A name is letters, digits, dots and dashes.';
  if (draft.model.trim() === '') return 'Name the model as the provider does.';
  if (draft.provider === 'other' && draft.baseUrl.trim() === '') return 'Give the server’s address.';
  return null;
}

/** Says what came of a test. */
export function testWords(test: ModelTest): string {
  return test.ok ? `Answered in ${(test.latencyMs / 1000).toFixed(1)} s` : (test.error ?? 'No answer');
}

/** Says where a key goes, or what is needed before it can be kept. */
export function storageWords(storage: KeyStorage): string {
  if (storage.store === 'keyring') return 'Keys are kept in your system’s keyring.';
  switch (storage.state) {
    case 'open':
      return 'Keys are kept in an encrypted file: this system has no keyring.';
    case 'locked':
      return 'The keys are in an encrypted file. Its passphrase opens it until the application ends.';
    case 'new':
      return 'This system has no keyring. Choose a passphrase: keys are kept in a file encrypted under it.';
  }
}

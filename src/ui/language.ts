/** The language of the page, remembered between visits, and numbers as that language writes them. Words come from @lit/localize. */

import { configureLocalization, type StrResult, updateWhenLocaleChanges } from '@lit/localize';
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { english } from './messages/english.ts';
import { type Spoken, spoken, type Translated, templatesOf } from './messages/spoken.ts';

export type Language = 'en' | 'zh';

const STORAGE_KEY = 'vitrine.language';
/** What each language calls itself, for those who read no other. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: english.languageName, zh: '中文' };

/** What the `lang` attribute says. */
export const LANGUAGE_TAGS: Readonly<Record<Language, string>> = { en: 'en', zh: 'zh-CN' };

/** The Chinese words that are here: those of the page once they are asked for, and those of each view that has been loaded. */
const templates: Record<string, string | StrResult> = {};

const { getLocale, setLocale } = configureLocalization({
  sourceLocale: 'en',
  targetLocales: ['zh'],
  loadLocale: async () => {
    bringChinese((await import('./messages/chinese.ts')).chinese);
    return { templates };
  },
});

/** A view that is loaded later brings its words along. */
export function bringChinese(translated: Translated, prefix: string = ''): void {
  Object.assign(templates, templatesOf(translated, prefix));
}

export type Messages = Spoken<typeof english>;
const say: Messages = spoken(english);

/** Storage may be forbidden; the page then asks the browser each time. */
function remembered(): Language | undefined {
  try {
    const value = localStorage.getItem(STORAGE_KEY);
    return value === 'en' || value === 'zh' ? value : undefined;
  } catch {
    return undefined;
  }
}

export const languageChoice = {
  get current(): Language {
    return getLocale() as Language;
  },

  /** What the visitor chose before, or else what the browser asks for. */
  get preferred(): Language {
    return remembered() ?? (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en');
  },

  /**
   * Resolves when the page has the words of the language; where they cannot be fetched it stays in English, and may be asked again.
   *
   * @param byVisitor to be remembered
   */
  async choose(language: Language, byVisitor: boolean = true): Promise<void> {
    await setLocale(language).catch(() => setLocale('en'));
    if (getLocale() !== language || !byVisitor) return;
    try {
      localStorage.setItem(STORAGE_KEY, language);
    } catch {
      // The choice then lasts as long as the page.
    }
  },
} as const;

/** Gives an element its words, and renders it anew when the language changes. */
export class Words implements ReactiveController {
  readonly #host: ReactiveControllerHost;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    updateWhenLocaleChanges(host);
    host.addController(this);
  }

  /** The language may have changed while the element was out of the document. */
  hostConnected(): void {
    this.#host.requestUpdate();
  }

  get language(): Language {
    return languageChoice.current;
  }

  get say(): Messages {
    return say;
  }

  /** a, b and c */
  list(names: readonly string[]): string {
    return new Intl.ListFormat(languageChoice.current === 'zh' ? 'zh-CN' : 'en-GB').format(names);
  }

  /** 12,345 */
  whole(value: number): string {
    return this.#number(value, { maximumFractionDigits: 0 });
  }

  /** 1.3 */
  oneDigit(value: number): string {
    return this.#number(value, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  }

  /** 0.0214: four digits behind the point; an exponent below a thousandth, and from 100,000 on, where no place has room for all digits. */
  small(value: number): string {
    if (!Number.isFinite(value)) return '–';
    if (value !== 0 && Math.abs(value) < 0.001) return writeExponent(value, 2);
    if (Math.abs(value) >= 1e5) return writeExponent(value, 3);
    return this.#number(value, { minimumFractionDigits: value < 10 ? 4 : 1, maximumFractionDigits: value < 10 ? 4 : 1 });
  }

  /** 0.0123, 1.23e−5: three significant digits. */
  significant(value: number, digits: number = 3): string {
    return writeSignificant(value, digits);
  }

  /** Nine significant digits: a float32 and no other. */
  exact(value: number): string {
    return writeSignificant(value, 9);
  }

  /** 97.8 % */
  percent(share: number, digits: number = 1): string {
    return Number.isFinite(share)
      ? this.#number(share, { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits })
      : '–';
  }

  /** 1:02:03, or 0:45 */
  duration(seconds: number): string {
    if (!Number.isFinite(seconds)) return '–';
    const whole = Math.max(0, Math.ceil(seconds));
    const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    const two = (value: number): string => String(value).padStart(2, '0');
    return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  }

  /** 51.2 MB */
  bytes(value: number): string {
    return `${this.#number(value / 1e6, { minimumFractionDigits: 1, maximumFractionDigits: 1 })} MB`;
  }

  #number(value: number, options: Intl.NumberFormatOptions): string {
    return value.toLocaleString(LANGUAGE_TAGS[languageChoice.current], options).replace(/^-/, '−');
  }
}

function writeSignificant(value: number, digits: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const magnitude = Math.abs(value);
  const plain = value === 0 || (magnitude >= 1e-3 && magnitude < 1e5);
  return plain ? String(Number(value.toPrecision(digits))).replace('-', '−') : writeExponent(Number(value.toPrecision(digits)));
}

/** 1.23e−5, 6.6e23 */
function writeExponent(value: number, digits?: number): string {
  return value
    .toExponential(digits === undefined ? undefined : digits - 1)
    .replace('e+', 'e')
    .replaceAll('-', '−');
}

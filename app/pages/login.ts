import { html } from 'ghtml';
import type { PageContext } from '../types';
import { layout } from './layout';

export interface LoginPageProps {
  /** Form that was submitted. Default: `login`. */
  readonly mode?: 'login' | 'signup';
  /** Email address that was submitted. */
  readonly email?: string;
  /** Reason of the rejection. */
  readonly error?: string;
  /** Path to redirect to after the login. */
  readonly next?: string;
}

interface AccountForm {
  readonly id: 'login' | 'signup';
  readonly heading: string;
  readonly intro: string;
  readonly button: string;
  readonly password: { readonly label: string; readonly minimum: number; readonly autocomplete: string };
}

const forms: readonly AccountForm[] = [
  {
    id: 'login',
    heading: 'Welcome back',
    intro: 'Log in to check out and to see your orders.',
    button: 'Log in',
    password: { label: 'Password', minimum: 1, autocomplete: 'current-password' },
  },
  {
    id: 'signup',
    heading: 'New here?',
    intro: 'All you need is an email address and a password.',
    button: 'Create an account',
    // A hint for the browser; the server validates the length.
    password: { label: 'Password (at least 8 characters)', minimum: 8, autocomplete: 'new-password' },
  },
];

/** Login and signup on one page. The submitted form comes first and shows its error. */
export function loginPage(ctx: PageContext, { mode = 'login', email, error, next }: LoginPageProps): string {
  const order = mode === 'signup' ? forms.toReversed() : forms;
  const main = html`<h1 class="unseen">Log in or create an account</h1>
    <div class="doors">!${order.map((form) => accountForm(form, form.id === mode ? { email, error, next } : { next }))}</div>`;
  return layout(ctx, { title: mode === 'signup' ? 'Create an account' : 'Log in' }, main);
}

function accountForm(form: AccountForm, { email, error, next }: Omit<LoginPageProps, 'mode'>): string {
  const { id, heading, intro, button, password } = form;
  const invalid = error ? html`aria-describedby="${id}-error"` : '';
  return html`<section id="${id}" class="door" aria-labelledby="${id}-heading">
      <h2 id="${id}-heading">${heading}</h2>
      <p>${intro}</p>
      !${error ? html`<p class="notice error" role="alert" id="${id}-error">${error}</p>` : ''}
      <form action="/${id}" method="post">
        <div class="field"><label for="${id}-email">Email</label><input id="${id}-email" type="email" name="email" value="${email}" autocomplete="email" maxlength="254" required !${invalid}></div>
        <div class="field"><label for="${id}-password">${password.label}</label><input id="${id}-password" type="password" name="password" autocomplete="${password.autocomplete}" minlength="${password.minimum}" maxlength="200" required !${invalid}></div>
        !${next ? html`<input type="hidden" name="next" value="${next}">` : ''}
        <button class="button" type="submit">${button}</button>
      </form>
    </section>`;
}

'use client';

import { event } from 'logdig';

export function Buy() {
  return <button id="buy" onClick={() => event('order', { value: 59.9, currency: 'EUR' })}>Buy</button>;
}

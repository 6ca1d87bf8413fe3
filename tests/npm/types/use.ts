// What a TypeScript user writes, and what they must not be able to write.
import { consent, event, exposure, flush, identify, init, optIn, optOut } from 'logdig';
import type { Details, Options } from 'logdig';

const options: Options = { token: 't', server: '/stats/', consent: 'wait', rage: 'off', vitals: 'on', query: '' };
const details: Details = { props: { size: 4.5, gift: true, colour: 'red', note: null }, value: 59.9, currency: 'EUR' };
init(options);
event('order', details);
event('seen');
exposure('button', 'red');
identify('customer-7');
consent('granted');
optOut();
optIn();
flush();

// @ts-expect-error A token is needed.
init({ server: '/stats/' });
// @ts-expect-error So is an address.
init({ token: 't' });
// @ts-expect-error No such answer.
consent('maybe');
// @ts-expect-error Values are scalars.
event('order', { props: { list: [] } });

import { event, init } from 'logdig';

const query = new URLSearchParams(location.search);
init({ token: query.get('token'), server: query.get('server'), query: '', vitals: 'on' });
document.querySelector('#buy').addEventListener('click', () => event('order', { value: 59.9, currency: 'EUR' }));

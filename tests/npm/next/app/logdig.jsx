'use client';

import { useEffect } from 'react';
import { init } from 'logdig';

export function LogDig() {
  useEffect(() => {
    const query = new URLSearchParams(location.search);
    init({ token: query.get('token'), server: query.get('server'), query: '', vitals: 'on' });
  }, []);
  return null;
}

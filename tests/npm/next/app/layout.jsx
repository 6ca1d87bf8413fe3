import { LogDig } from './logdig';

export const metadata = { title: 'An app built by Next.js' };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        {children}
        <LogDig />
      </body>
    </html>
  );
}

// Web vitals of the page that was loaded, by Google's own library: their definitions change, and are best kept by them.
import { onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals';

// Gives what to ask for the numbers so far, in the order of a `leave` (KINDS in tracker.rs); NaN where there is none.
export default () => {
  const values = [NaN, NaN, NaN, NaN, NaN];
  [onLCP, onINP, onCLS, onFCP, onTTFB].forEach((watch, nth) => {
    watch(({ value }) => { values[nth] = value; }, { reportAllChanges: true });
  });
  return () => values;
};

//! What is said about many samples.

/// The value that this share of the samples, from 0 to 1, does not exceed (nearest rank); 0 when there are none.
pub fn quantile(samples: &[f64], share: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied().unwrap_or(0.0)
}

/// The value in the middle.
pub fn median(samples: &[f64]) -> f64 {
    quantile(samples, 0.5)
}

/// NaN when there are no samples.
pub fn mean(samples: &[f64]) -> f64 {
    samples.iter().sum::<f64>() / samples.len() as f64
}

/// How much `y` grows while `x` grows by one, by least squares; 0 when all `x` are the same.
pub fn slope(points: &[(f64, f64)]) -> f64 {
    let (xs, ys): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    let (mean_x, mean_y) = (mean(&xs), mean(&ys));
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let along: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    if spread > 0.0 { along / spread } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_samples_by_nearest_rank() {
        let samples: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!((quantile(&samples, 0.99), median(&samples), quantile(&samples, 1.0)), (198.0, 100.0, 200.0));
        assert_eq!((median(&[7.0]), quantile(&[7.0], 0.99), quantile(&[3.0, 7.0], 0.0)), (7.0, 7.0, 3.0));
        assert_eq!(median(&[]), 0.0);
    }

    #[test]
    fn slope_of_a_line_is_its_own_whatever_its_height() {
        let line = |height: f64| (0..9).map(|x| (f64::from(x), height - 2.5 * f64::from(x))).collect::<Vec<_>>();
        assert_eq!((slope(&line(0.0)), slope(&line(1000.0))), (-2.5, -2.5));
        assert_eq!(slope(&[(1.0, 5.0), (1.0, 9.0)]), 0.0);
    }
}

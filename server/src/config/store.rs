//! Where sealed files go.

use logdig_store::StoreAddress;
use url::Url;

/// The store, when it is not the folder `store` in the data folder.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct StoreConfig {
    /// Where files go: a folder, s3://BUCKET or s3://BUCKET/PREFIX; `store` in the data folder when absent. With S3,
    /// services and daily salts are kept there too, for all collectors that share it
    #[arg(long = "store", value_name = "PLACE", env = "LOGDIG_STORE")]
    pub address: Option<StoreAddress>,

    /// Address of what stands in for AWS, such as http://127.0.0.1:7070
    #[arg(long, value_name = "URL", env = "LOGDIG_ENDPOINT_URL", value_parser = endpoint_url)]
    pub endpoint_url: Option<String>,
}

fn endpoint_url(text: &str) -> Result<String, String> {
    match Url::parse(text) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) && url.username().is_empty() => Ok(text.to_owned()),
        _ => Err("write an address such as http://127.0.0.1:7070".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_addresses_without_credentials() {
        for text in ["http://127.0.0.1:7070", "https://s3.example"] {
            assert_eq!(endpoint_url(text).as_deref(), Ok(text));
        }
        for text in ["", "127.0.0.1:7070", "s3://logs", "http://key:secret@s3.example"] {
            assert!(endpoint_url(text).is_err(), "{text}");
        }
    }
}

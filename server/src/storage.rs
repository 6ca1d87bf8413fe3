//! What lies where: the store, and the small files that go with it.

use std::path::{Path, absolute};
use std::sync::Arc;

use logdig_store::{LocalFile, LocalStore, SharedFile, Store, StoreAddress};
#[cfg(feature = "aws")]
use logdig_store::{S3Address, S3Store};

use crate::config::StoreConfig;
use crate::daily_key;
use crate::services::{ServicesFile, file};

/// The store of a collector and the files that it shares with others over the same store.
pub struct Storage {
    /// Where sealed files go.
    pub store: Arc<dyn Store>,
    /// `services.json`.
    pub services: Arc<dyn SharedFile>,
    /// `daily-salt`.
    pub salt: Arc<dyn SharedFile>,
    /// Whether the last two are in the store, and not in the data folder.
    pub is_shared: bool,
}

impl Storage {
    /// What `config` names, for a collector over the data folder `data`. Nothing is read or asked for yet.
    ///
    /// # Errors
    ///
    /// When this program was built without what the store needs.
    pub async fn open(data: &Path, config: &StoreConfig) -> anyhow::Result<Self> {
        match &config.address {
            None => Ok(Self::local(data, LocalStore::new(data.join("store")))),
            // The store syncs the folder's parent, which a relative name may not tell.
            Some(StoreAddress::Folder(folder)) => Ok(Self::local(data, LocalStore::new(absolute(folder)?))),
            #[cfg(feature = "aws")]
            Some(StoreAddress::S3(address)) => {
                let store = s3_store(address, config).await;
                let services = Arc::new(store.shared_file(file::FILE_NAME));
                let salt = Arc::new(store.shared_file(daily_key::file::FILE_NAME));
                Ok(Self { store: Arc::new(store), services, salt, is_shared: true })
            }
            #[cfg(not(feature = "aws"))]
            Some(StoreAddress::S3(address)) => anyhow::bail!("`{address}`: this program was built without AWS"),
        }
    }

    fn local(data: &Path, store: LocalStore) -> Self {
        Self {
            store: Arc::new(store),
            services: Arc::new(LocalFile::new(data, file::FILE_NAME)),
            salt: Arc::new(LocalFile::secret(data, daily_key::file::FILE_NAME)),
            is_shared: false,
        }
    }

    /// Reads the services, or makes the first ones.
    ///
    /// # Errors
    ///
    /// When they can't be had, and no last good content of them is in the data folder.
    pub async fn open_services(&self, data: &Path) -> Result<ServicesFile, file::FileError> {
        if self.is_shared {
            return ServicesFile::open_elsewhere(self.services.clone(), data.to_owned()).await;
        }
        file::create_first(&*self.services, None).await?;
        ServicesFile::open(self.services.clone()).await
    }
}

/// The store at an address in S3, with the endpoint that `config` names.
#[cfg(feature = "aws")]
pub async fn s3_store(address: &S3Address, config: &StoreConfig) -> S3Store {
    S3Store::new(&logdig_store::aws::config(config.endpoint_url.as_deref()).await, address.clone())
}

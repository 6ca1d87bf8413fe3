//! ElasticMQ: an SQS in one Java process, with its limits, batches and visibility timeouts.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::parts;
use crate::progress::step;
use crate::tools::{find_program, run};

const VERSION: &str = "1.7.1";
/// Written last, so that a folder without it is one that was not finished.
const MARK: &str = "complete";

/// Names what is to be there; Maven finds what that needs.
const POM: &str = r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>logdig</groupId>
  <artifactId>parts</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.elasticmq</groupId>
      <artifactId>elasticmq-server_2.13</artifactId>
      <version>VERSION</version>
    </dependency>
  </dependencies>
</project>
"#;

/// Fetches its jars, if they are not there in this version.
///
/// # Errors
/// When there is no Java or no Maven, or Maven cannot fetch.
pub fn install() -> Result<()> {
    for (program, package) in [("java", "openjdk-17-jre-headless"), ("mvn", "maven")] {
        if find_program(&[program]).is_none() {
            bail!(
                "no {program}: ElasticMQ, the SQS of the tests, needs it. On Debian and Ubuntu: apt-get install {package}"
            );
        }
    }
    // The version is in the path, so a new one does not meet the old one.
    let folder = parts::folder()?.join(format!("elasticmq-{VERSION}"));
    if folder.join(MARK).is_file() {
        return Ok(());
    }
    step(&format!("setup: ElasticMQ {VERSION} (mvn)"));
    fetch(&folder).with_context(|| format!("fetching ElasticMQ into {}", folder.display()))
}

fn fetch(folder: &Path) -> Result<()> {
    let lib = folder.join("lib");
    fs::create_dir_all(&lib)?;
    fs::write(folder.join("pom.xml"), POM.replace("VERSION", VERSION))?;
    let mut maven = Command::new("mvn");
    maven.current_dir(folder).args(["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime"]);
    run(maven.arg(format!("-DoutputDirectory={}", lib.display())))?;
    Ok(fs::write(folder.join(MARK), "")?)
}

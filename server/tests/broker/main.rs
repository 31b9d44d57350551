//! The broker's core and its listener, tested from outside.
//!
//! Every test of the store runs on SQLite, and on PostgreSQL when `SUTURA_TEST_POSTGRES` is the URL of a server on which
//! databases may be made. In CI it must be; elsewhere the tests say loudly that they skip it.

/// Makes a test for each store from an `async fn(Scene)`.
macro_rules! on_each_store {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::scene::Scene::on_sqlite().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(scene) = crate::scene::Scene::on_postgres().await {
                    super::$name(scene).await;
                }
            })*
        }
    };
}

mod accords;
mod acts;
mod desk;
mod joining;
mod killed;
mod large;
mod limits;
mod matching;
mod officers;
mod parcels;
mod refusals;
mod restart;
mod scene;
mod sequence;

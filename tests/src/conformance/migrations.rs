//! Claim: both stores have the same schema, version by version, and Postgres comes to it however many start at once, also
//! when its database is another one by the next call. A database that cannot hold every name is refused.
//! Method: the files beside each other; stores on many hosts that meet an empty database at the same moment, and one whose files
//! lose a race; a database that is removed and made anew below a store that is at work, and one of another encoding.
//! Needs: the built store, Postgres.

use futures::future::join_all;

use super::bindings::restock::catalog::Factory;
use super::bindings::restock::insight::ShopTotals;
use super::bindings::restock::types::Fault;
use super::cluster::sql_files;
use super::shop::{FACTORY, OPERATOR, definition, first_page};
use super::store::{Engine, Label, Place, Store};
use crate::support::root;

/// Replicas that start together.
const REPLICAS: usize = 8;

#[test]
fn each_migration_of_postgres_has_its_pair_of_sqlite() {
    for folder in ["", "customers"] {
        let names = |engine: &str| -> Vec<String> {
            let files = sql_files(&root().join("migrations").join(engine).join(folder));
            files.into_iter().map(|(name, _)| name).collect()
        };
        let applied = std::fs::read_to_string(root().join("components/store-postgres/src/migration.rs"))
            .expect("the list of migrations");
        let (sqlite, mut postgres) = (names("sqlite"), names("postgres"));
        assert!(!sqlite.is_empty());
        for name in &postgres {
            assert!(applied.contains(&format!("\"{name}\"")), "nothing applies {name}");
        }
        // A file that got too long goes on in one whose name begins with its own.
        let goes_on = |name: &String| {
            let begins = |first: &&String| {
                *first != name && name.starts_with(&format!("{}_", first.trim_end_matches(".sql")))
            };
            sqlite.iter().any(|first| begins(&first))
        };
        postgres.retain(|name| !goes_on(name));
        assert_eq!(postgres, sqlite);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_meet_an_empty_postgres_at_once_migrate_it_once() {
    let place = Place::empty(Engine::Postgres);
    let hosts: Vec<_> = (0..REPLICAS).map(|_| place.host()).collect();
    let stores = join_all(hosts.iter().map(|host| host.store())).await;
    let (ready, customers) = tokio::join!(
        join_all(stores.iter().map(Store::ready)),
        join_all(hosts.iter().map(async |host| host.store().await.customer("c".into()).await)),
    );
    let versions: Vec<_> =
        ready.iter().map(|ready| ready.as_ref().map(|ready| ready.schema_version)).collect();
    let migrations = sql_files(&root().join("migrations/sqlite")).len();
    assert_eq!(versions, vec![Ok(u32::try_from(migrations).expect("few")); REPLICAS]);
    assert_eq!(customers, vec![Ok(None); REPLICAS]);
    let applied = "SELECT count(*) FROM schema_migration";
    assert_eq!(place.count(applied), i64::try_from(migrations).expect("few"));
    let of_customers = sql_files(&root().join("migrations/sqlite/customers")).len();
    assert_eq!(place.rows(Label::Customers).number(applied), i64::try_from(of_customers).expect("few"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_at_work_finds_a_database_that_was_made_anew() {
    let place = Place::new(Engine::Postgres);
    let store = place.host().store().await;
    let factory = || Factory { id: FACTORY.into(), name: "공장".into(), manager_email: None, url: None };
    store.define_factory(factory(), OPERATOR.into(), 1).await.expect("defined");
    store.define(definition("A", 2, 10, 1), OPERATOR.into(), 1).await.expect("defined");
    assert_eq!(store.products(first_page()).await.expect("read").len(), 1);

    let Place::Postgres(cluster) = &place else { panic!("a place of Postgres") };
    cluster.make_anew(Label::Default);
    // Connections that are gone with the database may be met once each.
    let mut answer = store.products(first_page()).await;
    for _ in 0..10 {
        if !matches!(answer, Err(Fault::Unavailable(_))) {
            break;
        }
        answer = store.products(first_page()).await;
    }
    assert_eq!(answer, Ok(vec![]));
    assert_eq!(store.define_factory(factory(), OPERATOR.into(), 1).await, Ok(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_of_postgres_that_loses_a_race_is_applied_again() {
    let place = Place::empty(Engine::Postgres);
    // The first command fails, and so does the first of a file: what a sequence counted is not undone.
    place.tamper(
        "CREATE SEQUENCE command;
         CREATE FUNCTION lose() RETURNS event_trigger LANGUAGE plpgsql AS $$
         BEGIN
           IF nextval('command') IN (1, 3) THEN
             RAISE EXCEPTION 'lost' USING ERRCODE = 'deadlock_detected';
           END IF;
         END $$;
         CREATE EVENT TRIGGER lose ON ddl_command_start EXECUTE FUNCTION lose()",
    );
    place.host().store().await.ready().await.expect("migrated");
    assert!(place.count("SELECT last_value FROM command") > 3);
}

/// Applies the files of the versions before 12, as the programs of that time did.
fn migrate_to_11(place: &Place) {
    let sql = root().join("components/store-postgres/src/sql");
    let read = |path| std::fs::read_to_string(path).expect("the file");
    place.tamper(&read(sql.join("schema_migration_create.sql")));
    let mut files = sql_files(&root().join("migrations/postgres"));
    files.sort();
    for version in 1..=11 {
        let of_it = files.iter().filter(|(name, _)| name.starts_with(&format!("{version:04}_")));
        let file: String = of_it.map(|(_, sql)| format!("{sql}\n")).collect();
        let apply = read(sql.join("schema_migration_apply.sql"))
            .replace("{version}", &version.to_string())
            .replace("{name}", "of its time")
            .replace("{oldest}", "11")
            .replace("{file}", &file);
        place.tamper(&apply);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filled_postgres_of_an_older_program_is_counted_once_and_that_program_goes_on_beside_this_one() {
    let place = Place::empty(Engine::Postgres);
    migrate_to_11(&place);
    // The calls of that program.
    let order = |id: &str, units: u32, at: u64| {
        format!(
            "SELECT outcome, (placed).status, (placed).ring FROM restock_order_place('{id}', NULL, 'h', 'c', NULL, NULL, 'backorder',
               '[{{\"sku\": \"A\", \"quantity\": {units}}}]', {at}, 'single-order', 100)"
        )
    };
    place.tamper(
        "INSERT INTO factory (factory_id, name, created_at_ms, updated_at_ms) VALUES ('F', 'f', 1, 1)",
    );
    place.tamper(
        "SELECT created FROM restock_product_define('A', 'a', 1, 'KRW', 'F', 'manual', 2, 10, 'none', NULL, 5, 1000, 'op')",
    );
    place.tamper(&order("o-1", 4, 2_000));
    place.tamper(&order("o-2", 9, 3_000));
    let goods = |units: u32, at: u64| {
        format!(
            "SELECT production_id, sku, on_hand_after, repeated FROM restock_production_receive_open('A', {units}, {at})"
        )
    };
    place.tamper(&goods(4, 22_001));

    let host = place.host();
    let store = host.store().await;
    let totals = store.totals().await.expect("migrated");
    let counted = |totals: &ShopTotals| {
        let (orders, took) = (&totals.orders, &totals.production);
        let buckets: Vec<_> = took.lead_times.iter().map(|bucket| bucket.requests).collect();
        (
            orders.accepted,
            orders.backordered,
            orders.waiting,
            took.received,
            took.lead_time_ms_sum,
            buckets[..3].to_vec(),
        )
    };
    assert_eq!(counted(&totals), (1, 1, 1, 1, 20_001, vec![0, 1, 0]));

    place.tamper(&order("o-3", 1, 30_000));
    place.tamper(&goods(40, 33_000));
    let claim = "SELECT (claimed).message_id, (claimed).receipt, source, type, time_ms, data::text
                   FROM restock_message_claim('replenishment', 5, 40000)";
    assert_eq!(place.rows(Label::Default).table(claim).len(), 1, "in the order of the product");
    let totals = store.totals().await.expect("read");
    assert_eq!(counted(&totals), (1, 2, 0, 2, 31_000, vec![0, 2, 0]));
    let sold = store.cover_of("A".into(), 40_000).await.expect("read").expect("the product is there");
    assert_eq!((sold.product.on_hand, sold.pace.last_hour.round()), (35, 1.0), "since there is a pace");
    assert_eq!(store.order("o-3".into()).await.expect("read").expect("the order is there").traceparent, None);
    let violations = store.audit().await.expect("audited").violations;
    assert_eq!(violations, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_postgres_that_cannot_hold_every_name_is_refused_and_left_empty() {
    let place = Place::empty(Engine::Postgres);
    let Place::Postgres(cluster) = &place else { panic!("a place of Postgres") };
    cluster.make_latin(Label::Default);
    let answer = place.host().store().await.ready().await;
    let Err(Fault::Unavailable(why)) = &answer else { panic!("{answer:?}") };
    assert!(why.contains("the encoding is LATIN1, and must be UTF8"), "{why}");
    assert_eq!(place.count("SELECT count(*) FROM pg_class WHERE relname = 'schema_migration'"), 0);
}

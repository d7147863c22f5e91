//! Claim: what was answered is there after `kill -9`, at whatever moment, and work goes on.
//! Method: the real program in a process of its own, killed in the middle of a burst, started again on the same folder.
//! Needs: the built program and components.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;
use restock_sandbox::Factory;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::home::Home;
use crate::support::{
    Client, FACTORY, OPERATOR, SKU, STOREFRONT, VIEWER, definition, eventually, order, root, variables,
};

/// The built program, running.
struct Program {
    child: Child,
    client: Client,
}

impl Program {
    /// Starts the program and waits until it says that it is ready.
    async fn start(home: &Home, factory: &Factory, listen: &str) -> Self {
        let mut options = home.options();
        options.variables.extend(variables(&factory.url()));
        let program = root().join("target/release/restock");
        let mut command = Command::new(&program);
        command
            .args(["up", "--listen", listen, "--tick", "100ms", "--data"])
            .arg(&options.data)
            .arg("--manifest")
            .arg(&options.manifest)
            .args(options.profile.iter().flat_map(|profile| ["--profile", profile.as_str()]))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        for (name, value) in options.variables {
            command.env(format!("SPIN_VARIABLE_{}", name.to_uppercase()), value);
        }
        let mut child = command.spawn().unwrap_or_else(|error| {
            panic!("{} does not start ({error}): run `cargo xtask build`", program.display())
        });
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let url = loop {
            let line = lines.next_line().await.expect("a line").expect("the program says that it is ready");
            if let Some((_, url)) = line.split_once("ready at ") {
                break url.trim().to_owned();
            }
        };
        // The pipe stays open and empty: the program prints nothing more.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, client: Client::new(url) }
    }

    /// Kills it as a power cut would.
    async fn kill(mut self) {
        self.child.start_kill().expect("it can be killed");
        self.child.wait().await.expect("it ends");
    }
}

async fn define(client: &Client, sku: &str, stock: u64) {
    let name = json!({"name": "a factory"});
    client.put(OPERATOR, &format!("/v1/factories/{FACTORY}"), name).await;
    client.put(OPERATOR, &format!("/v1/products/{sku}"), definition(stock, 0, 1000)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answered_order_survives_kills_in_the_middle_of_bursts() {
    let factory = Factory::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    factory.turn(|knobs| knobs.stage_ms = Some(1)).unwrap();
    let home = Home::new();
    let mut accepted = Vec::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for round in 0..4_usize {
        let program = Program::start(&home, &factory, &port.to_string()).await;
        define(&program.client, SKU, 400).await;
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(tokio::sync::Notify::new()));
        let clients = (0..16_usize).map(|n| {
            let (client, stop, answered) = (program.client.clone(), Arc::clone(&stop), Arc::clone(&answered));
            tokio::spawn(async move {
                let mut ids = Vec::new();
                for m in 0..200 {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let body = order(&[(SKU, 1)]);
                    let authorization = format!("Bearer {STOREFRONT}");
                    let key = format!("{round}-{n}-{m}");
                    let headers = [
                        ("authorization", authorization.as_str()),
                        ("content-type", "application/json"),
                        ("idempotency-key", key.as_str()),
                    ];
                    match client.try_send(http::Method::POST, "/v1/orders", &headers, body.to_string()).await
                    {
                        Ok(answer) if answer.status == 201 => {
                            ids.push(answer.json["id"].as_str().expect("an id").to_owned());
                            answered.notify_one();
                        }
                        Ok(answer) => assert_eq!(answer.status, 409, "{}", answer.text),
                        Err(_) => break,
                    }
                }
                ids
            })
        });
        let clients: Vec<_> = clients.collect();
        // The moment of the kill moves from round to round: after so many answers.
        for _ in 0..=round * 23 {
            answered.notified().await;
        }
        program.kill().await;
        stop.store(true, Ordering::Relaxed);
        for ids in join_all(clients).await {
            accepted.extend(ids.expect("a client"));
        }
    }

    let program = Program::start(&home, &factory, &port.to_string()).await;
    let report = program.client.get(VIEWER, "/v1/audit").await.expect(200);
    assert_eq!(report["ok"], true, "{report}");
    assert!(!accepted.is_empty());
    for id in &accepted {
        let order = program.client.get(STOREFRONT, &format!("/v1/orders/{id}")).await.expect(200);
        assert_eq!(order["status"], "accepted");
    }
    // Work goes on: whatever a killed worker held comes back after its lease, and the shelf is filled.
    define(&program.client, "after-the-crash", 1).await;
    program.client.order("after-the-crash", 1).await.expect(201);
    eventually("the shelf is filled", || async {
        let product = program.client.get(OPERATOR, "/v1/products/after-the-crash").await.expect(200);
        (product["on_hand"] == 1000).then_some(())
    })
    .await;
    let report = program.client.get(VIEWER, "/v1/audit").await.expect(200);
    assert_eq!(report["ok"], true, "{report}");
    program.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_the_program_with_success() {
    let factory = Factory::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    let home = Home::new();
    let mut program = Program::start(&home, &factory, "127.0.0.1:0").await;
    define(&program.client, SKU, 1).await;
    let id = program.child.id().expect("it runs").to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status().await.expect("kill runs");
    assert!(sent.success());
    let status = program.child.wait().await.expect("it ends");
    assert_eq!(status.code(), Some(0));
}

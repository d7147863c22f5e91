//! Factories.

use http::StatusCode;
use restock_api::problem::FieldFault;
use restock_api::product::{Factory, FactoryDefinition};
use restock_bindings::catalog;
use restock_domain::name;
use restock_edge::{Answer, Call, Error};

/// `PUT /v1/factories/{id}`
pub(crate) async fn define(mut call: Call) -> Result<Answer, Error> {
    let definition = FactoryDefinition::decode(&call.json_body().await?)?;
    let id = call.value().to_owned();
    if !name::is_identifier(&id) {
        return Err(
            vec![FieldFault::new("{id}", "must be 1 to 64 letters, digits, `.`, `_`, `-` or `:`")].into()
        );
    }
    let factory = catalog::Factory {
        id,
        name: definition.name,
        manager_email: definition.manager_email,
        url: definition.url,
    };
    let created = catalog::define_factory(factory.clone(), call.operator(), call.now_ms()).await?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    let view = Factory {
        id: factory.id,
        name: factory.name,
        manager_email: factory.manager_email,
        url: factory.url,
    };
    Ok(Answer::json(status, &view))
}

//! Writes the description operation by operation, and adds to each what holds for all of its kind, so that no operation can forget
//! to say that it may be refused.

use crate::page::{LIMIT_DEFAULT, LIMIT_MAX, Page};
use crate::problem::{PROBLEM_JSON, Problem};
use crate::routes::{Method, Route};
use restock_domain::keys::Access;
use serde_json::{Value, json};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, Paths};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{OneOfBuilder, Schema, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required,
};
use utoipa::{PartialSchema, ToSchema};

/// The name of the security scheme.
const BEARER: &str = "bearer";

/// A description that is being written.
pub(super) struct Book {
    info: InfoBuilder,
    paths: Paths,
    webhooks: Paths,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl Book {
    pub(super) fn new(title: &str, version: &str, introduction: &str) -> Self {
        let info = InfoBuilder::new().title(title).version(version).description(Some(introduction));
        let mut book = Self { info, paths: Paths::new(), webhooks: Paths::new(), schemas: Vec::new() };
        book.keep::<Problem>();
        book
    }

    pub(super) fn operation(&mut self, route: Route, tag: &str, summary: &str) -> Entry<'_> {
        let operation =
            OperationBuilder::new().tag(tag).summary(Some(summary)).operation_id(Some(operation_id(&route)));
        Entry { book: self, route, operation, statuses: Vec::new() }
    }

    /// Describes what is sent to others without being asked.
    pub(super) fn webhook<T: ToSchema>(&mut self, name: &str, tag: &str, summary: &str, description: &str) {
        let content = ContentBuilder::new().schema(Some(self.keep::<T>())).build();
        let body =
            RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True));
        let taken = ResponseBuilder::new().description("It was taken; it is not sent again.");
        let operation = OperationBuilder::new()
            .tag(tag)
            .summary(Some(summary))
            .description(Some(description))
            .request_body(Some(body.build()))
            .response("2XX", taken.build());
        self.webhooks.add_path_operation(name, vec![HttpMethod::Post], operation.build());
    }

    pub(super) fn finish(self) -> OpenApi {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A key of the role that the operation names."));
        let components = ComponentsBuilder::new()
            .schemas_from_iter(self.schemas)
            .security_scheme(BEARER, SecurityScheme::Http(scheme.build()));
        OpenApiBuilder::new()
            .info(self.info.build())
            .paths(self.paths)
            .webhooks(Some(self.webhooks))
            .components(Some(components.build()))
            .build()
    }

    /// Keeps a schema under its name and refers to it.
    fn keep<T: ToSchema>(&mut self) -> Ref {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        Ref::from_schema_name(T::name())
    }
}

/// One operation that is being described.
pub(super) struct Entry<'book> {
    book: &'book mut Book,
    route: Route,
    operation: OperationBuilder,
    statuses: Vec<u16>,
}

impl Entry<'_> {
    pub(super) fn description(mut self, words: &str) -> Self {
        self.operation = self.operation.description(Some(words));
        self
    }

    fn parameter(mut self, parameter: ParameterBuilder) -> Self {
        self.operation = self.operation.parameter(parameter);
        self
    }

    pub(super) fn idempotent(self) -> Self {
        let words = "Names the intent. A repeated request with the same key changes nothing and gets the first answer.";
        let text = ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .min_length(Some(1))
            .max_length(Some(255))
            .pattern(Some("^[!-~]+$"));
        let parameter = ParameterBuilder::new().name("Idempotency-Key").parameter_in(ParameterIn::Header);
        self.parameter(parameter.required(Required::False).description(Some(words)).schema(Some(text)))
    }

    pub(super) fn query(self, name: &str, description: &str, words: &[&str]) -> Self {
        let schema = ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
        self.query_of(name, description, schema.enum_values(Some(words.to_vec())))
    }

    pub(super) fn query_text(self, name: &str, description: &str, example: &str) -> Self {
        let schema = ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
        self.query_of(name, description, schema.examples([json!(example)]))
    }

    fn query_of(self, name: &str, description: &str, schema: ObjectBuilder) -> Self {
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
        self.parameter(
            parameter.required(Required::False).description(Some(description)).schema(Some(schema)),
        )
        .problem(422, "A query parameter is at fault; `errors` names it.")
    }

    fn written_body<T: ToSchema>(mut self, example: Value, required: Required) -> Self {
        let content = ContentBuilder::new().schema(Some(self.book.keep::<T>())).example(Some(example));
        let body =
            RequestBodyBuilder::new().content("application/json", content.build()).required(Some(required));
        self.operation = self.operation.request_body(Some(body.build()));
        self.problem(400, "The body is not JSON.")
            .problem(413, "The body is too large.")
            .problem(422, "Fields are at fault; `errors` names each.")
    }

    pub(super) fn body<T: ToSchema>(self, example: Value) -> Self {
        self.written_body::<T>(example, Required::True)
            .problem(415, "The body is of another media type than JSON.")
    }

    pub(super) fn optional_body<T: ToSchema>(self, example: Value) -> Self {
        self.written_body::<T>(example, Required::False)
            .problem(415, "The body is of another media type than JSON.")
    }

    pub(super) fn body_of_any_type<T: ToSchema>(self, example: Value) -> Self {
        self.written_body::<T>(example, Required::True)
    }

    fn response(
        mut self,
        status: u16,
        media_type: &str,
        description: &str,
        schema: Option<RefOr<Schema>>,
    ) -> Self {
        // What an operation says itself goes before what holds for all of its kind.
        if self.statuses.contains(&status) {
            return self;
        }
        self.statuses.push(status);
        let content = ContentBuilder::new().schema(schema).build();
        let request_id = HeaderBuilder::new().description(Some("Names the request in logs.")).build();
        let response = ResponseBuilder::new()
            .description(description)
            .content(media_type, content)
            .header("x-request-id", request_id);
        self.operation = self.operation.response(status.to_string(), response.build());
        self
    }

    pub(super) fn answer<T: ToSchema>(self, status: u16, description: &str) -> Self {
        let schema = self.book.keep::<T>();
        self.response(status, "application/json", description, Some(schema.into()))
    }

    pub(super) fn either<A: ToSchema, B: ToSchema>(self, status: u16, description: &str) -> Self {
        let either = OneOfBuilder::new().item(self.book.keep::<A>()).item(self.book.keep::<B>());
        self.response(status, "application/json", description, Some(Schema::from(either).into()))
    }

    pub(super) fn document(self, status: u16, media_type: &str) -> Self {
        self.response(status, media_type, "The document.", None)
    }

    pub(super) fn whole_list_of<T: ToSchema>(self) -> Self
    where
        Page<T>: ToSchema,
    {
        self.book.keep::<T>();
        self.answer::<Page<T>>(200, "All of them.")
    }

    pub(super) fn page_of<T: ToSchema>(self) -> Self
    where
        Page<T>: ToSchema,
    {
        self.book.keep::<T>();
        self.page::<Page<T>>()
    }

    /// A page in a document of its own kind.
    pub(super) fn page<P: ToSchema>(self) -> Self {
        self.paged().answer::<P>(200, "One page.")
    }

    pub(super) fn page_of_either<A: ToSchema, B: ToSchema>(self) -> Self
    where
        Page<A>: ToSchema,
        Page<B>: ToSchema,
    {
        self.book.keep::<A>();
        self.book.keep::<B>();
        self.paged().either::<Page<A>, Page<B>>(200, "One page.")
    }

    fn paged(self) -> Self {
        let limit = ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::Integer))
            .minimum(Some(1))
            .maximum(Some(LIMIT_MAX))
            .default(Some(json!(LIMIT_DEFAULT)));
        let limit =
            ParameterBuilder::new().name("limit").parameter_in(ParameterIn::Query).schema(Some(limit));
        let cursor = ParameterBuilder::new()
            .name("cursor")
            .parameter_in(ParameterIn::Query)
            .schema(Some(String::schema()));
        self.parameter(limit.required(Required::False).description(Some("Items at most.")))
            .parameter(
                cursor.required(Required::False).description(Some("The `next_cursor` of the page before.")),
            )
            .problem(422, "A query parameter is at fault; `errors` names it.")
    }

    pub(super) fn problem(self, status: u16, description: &str) -> Self {
        let schema = Ref::from_schema_name(Problem::name());
        self.response(status, PROBLEM_JSON, description, Some(schema.into()))
    }

    /// Adds what holds for all operations of this kind and writes it into the book.
    pub(super) fn write(mut self) {
        for name in path_parameters(self.route.path) {
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
            self = self.parameter(parameter.required(Required::True).schema(Some(String::schema())));
        }
        if path_parameters(self.route.path).next().is_some() && self.route.method != Method::Put {
            self = self.problem(404, "There is no such thing.");
        }
        if let Some(role) = role(self.route.access) {
            self.operation = self.operation.security(SecurityRequirement::new(BEARER, [role]));
            self = self
                .problem(401, "A known key is needed.")
                .problem(403, "The key or the caller's address is not good for this.");
        }
        if !matches!(self.route.path, "/" | "/healthz" | "/openapi.json") {
            self = self.problem(503, "The store or the configuration is at fault; try again later.");
        }
        let method = match self.route.method {
            Method::Get => HttpMethod::Get,
            Method::Post => HttpMethod::Post,
            Method::Put => HttpMethod::Put,
        };
        self.book.paths.add_path_operation(self.route.path, vec![method], self.operation.build());
    }
}

/// The keys that open a route, besides those of operators.
fn role(access: Access) -> Option<&'static str> {
    match access {
        Access::Public => None,
        Access::Order | Access::Shop => Some("storefront"),
        Access::Read => Some("viewer"),
        Access::Operate => Some("operator"),
        Access::Internal => Some("internal"),
    }
}

fn path_parameters(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn operation_id(route: &Route) -> String {
    let words = route.path.split(['/', '{', '}', '.']).filter(|word| !word.is_empty());
    words.fold(route.method.name().to_lowercase(), |id, word| format!("{id}_{word}"))
}

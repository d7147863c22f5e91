//! What the demo's shop sells, who makes it and who buys it.

/// The makers of the goods: number and name. One stand-in stands for both.
pub(super) const FACTORIES: [(&str, &str); 2] =
    [("FF-500293", "부산도너츠 공장"), ("FF-500294", "강원식품 공장")];
/// Who is told of a factory's troubles.
pub(super) const FACTORY_MANAGER: &str = "factory@restock.example";
/// Who pauses and resumes advertisements.
pub(super) const AD_MANAGER: &str = "ads@restock.example";

/// A product of the shop.
pub(super) struct Product {
    pub(super) sku: &'static str,
    pub(super) name: &'static str,
    /// Won.
    pub(super) price: u64,
    /// Which of [`FACTORIES`] makes it.
    pub(super) factory: usize,
    pub(super) reorder_point: u32,
    pub(super) order_up_to: u32,
    /// How often it is asked for, beside the others.
    pub(super) wanted: u32,
    pub(super) advertised: bool,
    /// Whether its levels follow its sales.
    pub(super) auto: bool,
}

impl Product {
    /// One that the factory has to make more of when it runs low, and nothing else.
    const fn plain(
        sku: &'static str,
        name: &'static str,
        price: u64,
        (reorder_point, order_up_to): (u32, u32),
        wanted: u32,
    ) -> Self {
        let (factory, advertised, auto) = (1, false, false);
        Self { sku, name, price, factory, reorder_point, order_up_to, wanted, advertised, auto }
    }

    /// What stands on the shelf on the first day.
    pub(super) fn opening_stock(&self) -> u32 {
        self.order_up_to
    }
}

/// What the shop sells. The first one is the one that customers want most, and the one that is sold out now and then.
pub(super) const PRODUCTS: [Product; 12] = [
    Product {
        factory: 0,
        advertised: true,
        ..Product::plain("CP-502101", "부산도너츠", 19_900, (25, 90), 30)
    },
    Product::plain("CP-502102", "제주감귤칩", 8_500, (20, 80), 18),
    Product { factory: 0, ..Product::plain("CP-502103", "강릉커피콩", 15_000, (60, 240), 8) },
    Product { auto: true, ..Product::plain("CP-502104", "전주비빔과자", 6_900, (20, 90), 10) },
    Product::plain("CP-502105", "보성녹차쿠키", 9_800, (15, 70), 8),
    Product::plain("CP-502106", "속초오징어스낵", 7_200, (15, 60), 6),
    Product {
        factory: 0, advertised: true, ..Product::plain("CP-502107", "통영꿀빵", 14_500, (15, 60), 8)
    },
    Product::plain("CP-502108", "담양대나무소금", 12_000, (10, 60), 3),
    Product::plain("CP-502109", "안동간고등어", 27_000, (8, 40), 3),
    Product::plain("CP-502110", "횡성한우육포", 32_000, (8, 40), 2),
    Product::plain("CP-502111", "여수갓김치", 11_900, (8, 40), 2),
    Product::plain("CP-502112", "한라봉 젤리 <겨울 한정>", 5_500, (10, 50), 2),
];

/// The product that everybody wants at once now and then.
pub(super) const RUSHED: &Product = &PRODUCTS[0];
/// The product that bulk buyers take.
pub(super) const BULK: &Product = &PRODUCTS[2];
/// The product whose production goes wrong.
pub(super) const TROUBLED: &Product = &PRODUCTS[11];

/// A customer that the shop knows by name.
pub(super) struct Customer {
    pub(super) id: &'static str,
    pub(super) email: &'static str,
    pub(super) name: &'static str,
}

/// Who becomes a VIP while one watches.
pub(super) const BULK_BUYER: Customer =
    Customer { id: "demo-cafe", email: "cafe@customer.example", name: "햇살카페" };

/// Who became one on the day before.
pub(super) const VIPS: [Customer; 3] = [
    Customer { id: "demo-hotel", email: "hotel@customer.example", name: "서울한옥호텔" },
    Customer { id: "demo-school", email: "school@customer.example", name: "바다초등학교" },
    Customer { id: "demo-bakery", email: "bakery@customer.example", name: "Café Zoë & Söhne" },
];

/// How many customers there are of each of the following names: so many that none of them becomes a VIP by chance.
pub(super) const NAMESAKES: u32 = 60;

/// Everybody else.
pub(super) const CUSTOMERS: [Customer; 16] = [
    Customer { id: "demo-kim", email: "kim@customer.example", name: "김민준" },
    Customer { id: "demo-lee", email: "lee@customer.example", name: "이서연" },
    Customer { id: "demo-park", email: "park@customer.example", name: "박도윤" },
    Customer { id: "demo-choi", email: "choi@customer.example", name: "최지우" },
    Customer { id: "demo-jung", email: "jung@customer.example", name: "정하준" },
    Customer { id: "demo-kang", email: "kang@customer.example", name: "강서윤" },
    Customer { id: "demo-cho", email: "cho@customer.example", name: "조은우" },
    Customer { id: "demo-yoon", email: "yoon@customer.example", name: "윤하은" },
    Customer { id: "demo-jang", email: "jang@customer.example", name: "장시우" },
    Customer { id: "demo-lim", email: "lim@customer.example", name: "임수아" },
    Customer { id: "demo-han", email: "han@customer.example", name: "한지호" },
    Customer { id: "demo-oh", email: "oh@customer.example", name: "오예린" },
    Customer { id: "demo-smith", email: "smith@customer.example", name: "Ada Smith" },
    Customer { id: "demo-rossi", email: "rossi@customer.example", name: "Marco Rossi" },
    Customer { id: "demo-sato", email: "sato@customer.example", name: "佐藤美咲" },
    Customer { id: "demo-haddad", email: "haddad@customer.example", name: "ليلى حداد" },
];

//! The portal's invoices: made up, the same on every machine.

/// One invoice; `cents` is its amount in euro cents.
pub struct Invoice {
    pub number: String,
    pub date: String,
    pub supplier: &'static str,
    pub order: Option<String>,
    pub cents: u64,
}

/// Months that the portal has, newest first, as `YYYY-MM` and in words.
pub const MONTHS: [(&str, &str); 4] = [
    ("2026-11", "November 2026"),
    ("2026-10", "October 2026"),
    ("2026-09", "September 2026"),
    ("2026-08", "August 2026"),
];

const SUPPLIERS: [&str; 7] = [
    "Aurora Paper",
    "Blue Harbour Freight",
    "Cedar & Sons",
    "Delta Cleaning",
    "Ember Energy",
    "Fjord Catering",
    "Grove Software",
];

/// Returns the invoices of a month, oldest first; none for a month that the portal does not have.
pub fn of_month(month: &str) -> Vec<Invoice> {
    let Some(index) = MONTHS.iter().position(|(name, _)| *name == month) else { return vec![] };
    let index = index as u64;
    let count = 24 + (index * 7) % 11;
    let invoice = |n: u64| {
        let mix = (n + 1) * 7_919 + index * 104_729;
        Invoice {
            number: format!("R-{}-{:03}", month.replace('-', ""), n + 1),
            date: format!("{month}-{:02}", 1 + n * 28 / count),
            supplier: SUPPLIERS[(mix % 7) as usize],
            order: (!mix.is_multiple_of(13)).then(|| format!("PO-{}", 4_000 + mix % 900)),
            cents: 1_990 + mix * 31 % 38_000,
        }
    };
    (0..count).map(invoice).collect()
}

/// Writes an amount as `318.20`.
pub fn amount(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// Writes invoices as CSV (RFC 4180).
pub fn csv(invoices: &[Invoice]) -> String {
    let row = |invoice: &Invoice| {
        let order = invoice.order.as_deref().unwrap_or_default();
        format!("{},{},\"{}\",{},{}\r\n", invoice.number, invoice.date, invoice.supplier, order, amount(invoice.cents))
    };
    std::iter::once("invoice,date,supplier,order,amount\r\n".to_owned()).chain(invoices.iter().map(row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn october_has_invoices_with_and_without_an_order() {
        let october = of_month("2026-10");
        assert_eq!(october.len(), 31);
        assert!(october.iter().any(|invoice| invoice.order.is_none()));
        assert!(october.iter().any(|invoice| invoice.order.is_some()));
        assert_eq!(csv(&october).lines().count(), 32);
    }

    #[test]
    fn an_unknown_month_has_none() {
        assert!(of_month("1999-01").is_empty());
    }
}

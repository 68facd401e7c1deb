//! The operations of the product.

-- The dashboard was slow in the demo, so every column that stands in a WHERE or an ORDER BY gets an index.

CREATE INDEX idx_invoices_tenant_id ON invoices (tenant_id);
CREATE INDEX idx_invoices_customer_id ON invoices (customer_id);
CREATE INDEX idx_invoices_number ON invoices (number);
CREATE INDEX idx_invoices_status ON invoices (status);
CREATE INDEX idx_invoices_due_on ON invoices (due_on);
CREATE INDEX idx_invoices_created_at ON invoices (created_at);
